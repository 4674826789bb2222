"""A bill's landed files become chunks of `charges` and one closing word: control totals, notices, finality."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from connectors.base import LandedPage, Parsed, SourceSettings, Window
from connectors.bills.ahead import ahead
from connectors.bills.files import Lines, open_lines
from connectors.bills.names import Names
from connectors.bills.refusals import Currencies, Foreign, foreign, refusals
from connectors.bills.repeats import repeated_keys, repeats_told
from connectors.bills.shape import Found, Lookup, Shape
from connectors.bills.statement import Statement
from connectors.finality import ONLY_PURCHASES, closes_month, is_invoiced
from contracts import contract

BATCH_ROWS = 65_536  # half a row group of the lake's
_AT_ONCE = 2  # files: a thread of its own reads each, so that its lines come in their order


@dataclass
class _Tally:
    """What only the whole of a file tells."""

    staged: int = 0
    is_invoiced: bool = True
    closes_month: bool = False
    is_whole: bool = True
    notices: Counter[str] = field(default_factory=Counter[str])
    keys: list[pa.ChunkedArray] = field(default_factory=list[pa.ChunkedArray])


@dataclass(frozen=True)
class _Chunk:
    """A part of a file, how many of its lines were read for it, and whether all of these are in another currency."""

    parsed: Parsed
    lines: int = 0
    foreign: Foreign | None = None


@dataclass(frozen=True)
class Bill:
    """One delivery of a native bill. `shape` says, for the columns of a file, how its lines become charges.

    `stated_rows` is the control total that a manifest gives; `invoice_is_final` whether a period is final once every
    line bears an invoice and one of them closes a month. `opened` gets each file before its lines are read, and may
    give the relation `lines` more columns for `shape` to use, or more lines in the same order. `is_final` is the
    provider's word, where it gives one in another way than by invoices.
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
    """Charges and rejects of every file, in bounded chunks, computed ahead of who takes them.

    Two files are read at once, by one thread each: a chunk of each in turn.

    Raises IncompleteDeliveryError for a file that is not whole or lacks a column that money hangs on, and SourceError
    for a delivery in another currency than the settings say.
    """
    currencies = Currencies()
    tallies = [_Tally() for _ in bill.pages]
    files = (_file(bill, number, tally) for number, tally in enumerate(tallies))
    with closing(ahead(files, _AT_ONCE)) as chunks:
        for chunk in chunks:
            currencies.note(chunk.lines, chunk.foreign)
            yield chunk.parsed
    yield _closing(bill, tallies)


def _closing(bill: Bill, tallies: Sequence[_Tally]) -> Parsed:
    told = sum((tally.notices for tally in tallies), Counter[str]())
    is_final = _is_final(bill, tallies)
    is_own = bill.is_final is not None or any(tally.closes_month for tally in tallies)
    notices = [f"{count:,} {words}" for words, count in sorted(told.items()) if count]
    repeated = repeated_keys(bill.pages, [tally.keys for tally in tallies])
    notices += repeats_told(bill.pages, repeated, lambda lines: _statement(bill, lines, bill.shape(lines.names)))
    return Parsed(
        contract("charges").arrow_schema().empty_table(),
        stated_rows=bill.stated_rows,
        is_final=is_final and is_own,
        is_final_once_settled=is_final and not is_own,
        notices=(*notices, ONLY_PURCHASES) if is_final and not is_own else tuple(notices),
    )


def _is_final(bill: Bill, tallies: Sequence[_Tally]) -> bool:
    invoiced = bill.invoice_is_final and all(tally.is_invoiced for tally in tallies)
    is_whole = all(tally.is_whole for tally in tallies) and any(tally.staged for tally in tallies)
    return (invoiced if bill.is_final is None else bill.is_final) and is_whole


def _file(bill: Bill, number: int, tally: _Tally) -> Generator[_Chunk]:
    """One file's chunks."""
    caches: dict[str, dict[str, Found]] = {}
    position, refused = 1, 0
    with open_lines(bill.pages[number]) as lines:
        if bill.opened is not None:
            bill.opened(lines)
        statement = _statement(bill, lines, bill.shape(lines.names))
        found = _rows(bill, lines, statement)
        for statement, read in found:
            rows = read.append_column("x_row", pa.array(range(position, position + read.num_rows), pa.int64()))
            position += rows.num_rows
            for n, words in enumerate(statement.shape.notices):
                tally.notices[words] += _total(rows[f"_notice{n}"])
            if statement.shape.key is not None:
                tally.keys.append(_alone(rows["_key"]))
            sound = pc.call_function("equal", [rows["_broken"], pa.scalar("")])
            broken = rows.num_rows - _total(sound)
            refused += broken
            other = foreign(statement, lines, rows) if broken == rows.num_rows > 0 else None
            kept = _charges(rows.filter(sound) if broken else rows, statement.shape.lookups, caches)
            tally.staged += kept.num_rows
            tally.is_invoiced &= is_invoiced(kept)
            tally.closes_month = tally.closes_month or closes_month(kept)
            # the closing word says whether the delivery is final
            yield _Chunk(Parsed(kept, is_final=True), rows.num_rows, other)
        for rejects in refusals(statement, lines, has_refused=refused > 0):
            tally.is_whole = False
            yield _Chunk(Parsed(contract("charges").arrow_schema().empty_table(), rejects, is_final=True))


def _rows(bill: Bill, lines: Lines, statement: Statement) -> Generator[tuple[Statement, pa.Table]]:
    """The statement's rows, and the statement that read them: another one from the first line in doubt on."""
    passed = 0
    with closing(lines.connection.sql(statement.text()).to_arrow_reader(BATCH_ROWS)) as reader:
        for batch in reader:
            if statement.shape.settled is not None and _total(batch["_doubt"]):
                break
            passed += batch.num_rows
            yield statement, pa.Table.from_batches([batch])
        else:
            return
    settled = _statement(bill, lines, statement.shape.settled())
    with closing(lines.connection.sql(settled.text()).to_arrow_reader(BATCH_ROWS)) as reader:
        for batch in reader:
            if (fresh := batch.slice(passed)).num_rows:
                yield settled, pa.Table.from_batches([fresh])
            passed -= batch.num_rows - fresh.num_rows


def _statement(bill: Bill, lines: Lines, shape: Shape) -> Statement:
    return Statement(shape, lines.names, bill.settings.name, bill.window.slice_date, lines.page.page_id)


def _total(values: pa.Array | pa.ChunkedArray) -> int:
    return pc.call_function("sum", [values]).as_py() or 0


def _alone(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A copy: a column of the engine's batch keeps all the others of that batch in memory as long as it lives."""
    return pc.call_function("bit_wise_or", [values, pa.scalar(0, values.type)])


def _charges(rows: pa.Table, lookups: Sequence[Lookup], caches: dict[str, dict[str, Found]]) -> pa.Table:
    """The rows in the contract's columns, with what Python looks up filled in."""
    for lookup in lookups:
        rows = _looked_up(rows, lookup, caches.setdefault(lookup.helper, {}))
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
