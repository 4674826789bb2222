"""A bill's landed files become chunks of `charges` and one closing word: control totals, notices, finality."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from connectors.base import LandedPage, Parsed, SourceSettings, Window
from connectors.bills.ahead import ahead
from connectors.bills.files import Lines, open_lines
from connectors.bills.names import Names
from connectors.bills.refusals import MANY, is_other_currency, other_currency, refusals
from connectors.bills.shape import Found, Lookup, Shape
from connectors.bills.statement import Statement
from contracts import contract

BATCH_ROWS = 122_880  # DuckDB's own row group: what it hands over without copying
_HERE = ("x_source", "x_slice_date", "x_page")


@dataclass
class _Tally:
    """What only the whole delivery tells."""

    staged: int = 0
    is_invoiced: bool = True
    is_whole: bool = True
    notices: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True)
class Bill:
    """One delivery of a native bill. `shape` says, for the columns of a file, how its lines become charges.

    `stated_rows` is the control total that a manifest gives; `invoice_is_final` whether a period is final once every
    line bears an invoice. `opened` gets each file before its lines are read, and may give the relation `lines` more
    columns for `shape` to use, or more lines in the same order. `is_final` is the provider's word, where it gives one
    in another way than by invoices.
    """

    settings: SourceSettings
    window: Window
    pages: Sequence[LandedPage]
    shape: Callable[[Names], Shape]
    stated_rows: int | None = None
    invoice_is_final: bool = True
    opened: Callable[[Lines], None] | None = None
    is_final: bool | None = None


def parse_bill(bill: Bill) -> Iterator[Parsed]:
    """Charges and rejects of every file, in bounded chunks, in the files' order; one chunk ahead of who takes them.

    Raises IncompleteDeliveryError for a file that is not whole or lacks a column that money hangs on.
    """
    yield from ahead(_parse(bill))


def _parse(bill: Bill) -> Iterator[Parsed]:
    tally = _Tally()
    for page in bill.pages:
        with open_lines(page) as lines:
            if bill.opened is not None:
                bill.opened(lines)
            yield from _parse_file(bill, lines, tally)
    notices = tuple(f"{count:,} {words}" for words, count in sorted(tally.notices.items()) if count)
    yield Parsed(
        contract("charges").arrow_schema().empty_table(),
        stated_rows=bill.stated_rows,
        is_final=_is_final(bill, tally),
        notices=notices,
    )


def _is_final(bill: Bill, tally: _Tally) -> bool:
    invoiced = bill.invoice_is_final and tally.is_invoiced
    return (invoiced if bill.is_final is None else bill.is_final) and tally.is_whole and tally.staged > 0


def _parse_file(bill: Bill, lines: Lines, tally: _Tally) -> Iterator[Parsed]:
    shape = bill.shape(lines.names)
    statement = Statement(shape, lines.names, bill.settings.name, bill.window.slice_date, lines.page.page_id)
    caches: dict[str, dict[str, Found]] = {lookup.helper: {} for lookup in shape.lookups}
    position, refused = 1, 0
    reader = lines.connection.sql(statement.text()).to_arrow_reader(BATCH_ROWS)
    for batch in reader:
        rows = pa.Table.from_batches([batch])
        rows = rows.append_column("x_row", pa.array(range(position, position + rows.num_rows), pa.int64()))
        position += rows.num_rows
        for number, words in enumerate(shape.notices):
            tally.notices[words] += pc.call_function("sum", [rows[f"_notice{number}"]]).as_py() or 0
        sound = pc.call_function("equal", [rows["_broken"], pa.scalar("")])
        broken = rows.num_rows - (pc.call_function("sum", [sound]).as_py() or 0)
        if broken == position - 1 >= MANY and not tally.staged and is_other_currency(statement, rows):
            reader.close()  # one question at a time
            raise other_currency(statement, lines, broken)
        refused += broken
        kept = _charges(rows.filter(sound) if broken else rows, shape.lookups, caches)
        tally.staged += kept.num_rows
        tally.is_invoiced &= kept["invoice_id"].null_count == 0
        yield Parsed(kept, is_final=True)  # the closing word says whether the delivery is
    for rejects in refusals(statement, lines, has_refused=refused > 0):
        tally.is_whole = False
        yield Parsed(contract("charges").arrow_schema().empty_table(), rejects, is_final=True)


def _charges(rows: pa.Table, lookups: Sequence[Lookup], caches: dict[str, dict[str, Found]]) -> pa.Table:
    """The rows in the contract's columns, with what Python looks up filled in."""
    for lookup in lookups:
        rows = _looked_up(rows, lookup, caches[lookup.helper])
    schema = contract("charges").arrow_schema()
    return rows.select(schema.names).cast(schema)


def _looked_up(rows: pa.Table, lookup: Lookup, known: dict[str, Found]) -> pa.Table:
    encoded = rows[lookup.helper].combine_chunks().dictionary_encode()
    texts: list[str | None] = encoded.dictionary.to_pylist()
    for text in texts:
        if text is not None and text not in known:
            known[text] = lookup.find(text)
    for number, name in enumerate(lookup.fills):
        values = pa.array([None if text is None else known[text][number] for text in texts], pa.string())
        rows = rows.append_column(name, values.take(encoded.indices))
    return rows
