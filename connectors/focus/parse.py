"""A month's landed files become chunks of `charges`, and one closing word: control totals, notices, finality."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from connectors.base import LandedPage, Parsed, Reject, Window
from connectors.exact import ROUNDED
from connectors.finality import ONLY_PURCHASES, closes_month, is_invoiced
from connectors.focus.batch import Batch
from connectors.focus.columns import Columns
from connectors.focus.manifest import Manifest, read_manifest, stated_totals
from connectors.focus.read import format_of, read_batches
from connectors.focus.reading import Reading
from connectors.focus.settings import ANY_LAYOUT, BillSettings
from connectors.focus.stage import stage
from contracts import contract


@dataclass
class _Tally:
    """What only the whole delivery tells."""

    rows_of: dict[str, int] = field(default_factory=dict[str, int])  # rows accounted for, by the file's digest
    manifests: dict[str, Manifest] = field(default_factory=dict[str, Manifest])
    unknown: set[str] = field(default_factory=set[str])
    absent: set[str] = field(default_factory=set[str])
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    rounded: int = 0
    fractions: dict[str, int] = field(default_factory=lambda: {"billed_cost": 0, "effective_cost": 0})
    staged: int = 0
    is_final: bool = True
    closes_month: bool = False


def parse_month(
    settings: BillSettings, window: Window, pages: Iterable[LandedPage], reading: Reading
) -> Iterator[Parsed]:
    """Chunks of at most 100,000 rows, then one without rows that carries what the whole delivery tells.

    A file that was landed before in the same delivery counts as duplicates. The slice is final when every row of it
    bears an invoice, one of them closes a month, and none was refused; costs that are derived are never final.

    Raises IncompleteDeliveryError for a file that is cut off, damaged, or lacks a column that billing needs.
    """
    tally = _Tally(is_final=not reading.is_derived)
    for page in pages:
        if page.digest in tally.rows_of:
            yield Parsed(_no_rows(), duplicate_count=tally.rows_of[page.digest], is_final=True)
        elif format_of(page.name, page.body) == "manifest":
            tally.manifests[page.digest] = read_manifest(page.name, page.body)
        else:
            tally.rows_of[page.digest] = 0
            yield from _file(settings, window, page, reading, tally)
    yield _closing(settings, reading, tally)


def _file(
    settings: BillSettings, window: Window, page: LandedPage, reading: Reading, tally: _Tally
) -> Iterator[Parsed]:
    columns: Columns | None = None
    for batch in read_batches(page.name, page.body, reading.shape):
        malformed = _malformed(batch, page)
        tally.rows_of[page.digest] += len(malformed)
        tally.is_final &= not malformed
        if malformed:
            yield Parsed(_no_rows(), malformed)
        if batch.is_sparse and batch.frame.is_empty():  # without a record nothing names the columns
            continue
        if columns is None:
            columns = reading.resolve(batch, page.name)
            tally.unknown.update(columns.unknown)
            tally.absent.update(columns.absent)
        yield _chunk(settings, window, page, batch, columns, reading, tally)


def _malformed(batch: Batch, page: LandedPage) -> tuple[Reject, ...]:
    return tuple(
        Reject(page.page_id, record.row, "malformed_record", record.detail, record.text) for record in batch.malformed
    )


def _chunk(
    settings: BillSettings,
    window: Window,
    page: LandedPage,
    batch: Batch,
    columns: Columns,
    reading: Reading,
    tally: _Tally,
) -> Parsed:
    staged = stage(batch, columns, reading.prepare(batch, columns), settings, window, page.page_id)
    rows = staged.rows.num_rows
    tally.rows_of[page.digest] += batch.frame.height - staged.elsewhere
    tally.staged += rows
    tally.rounded += staged.rounded
    tally.left_out.update(staged.left_out)
    for cost in tally.fractions:
        tally.fractions[cost] += _count_fractions(staged.rows[cost])
    is_final = not reading.is_derived and not staged.rejects and is_invoiced(staged.rows)
    tally.is_final &= is_final
    tally.closes_month = tally.closes_month or closes_month(staged.rows)
    return Parsed(staged.rows, staged.rejects, is_final=is_final)


def _closing(settings: BillSettings, reading: Reading, tally: _Tally) -> Parsed:
    cost, rows = stated_totals(list(tally.manifests.values()))
    if settings.layout == ANY_LAYOUT:  # a manifest there speaks of more than this month
        cost, rows = None, None
    notices = list[str]()
    if tally.unknown:
        names = ", ".join(sorted(tally.unknown))
        notices.append(f"{len(tally.unknown)} {reading.unknown_words} are kept in x_extra: {names}")
    if tally.absent:
        names = ", ".join(sorted(tally.absent))
        notices.append(f"columns of the settings that no record of a file has, and that are empty there: {names}")
    if reading.is_derived and tally.staged:
        notices.append(
            f"{tally.staged} charges cost what quantity and `unit_prices` come to, which is an estimate and no invoice"
        )
    for (column, expected), count in sorted(tally.left_out.items()):
        if count:
            notices.append(f"{count} values of {column} are kept in x_extra only: expected {expected}")
    if tally.rounded:
        notices.append(f"{tally.rounded} numbers {ROUNDED}")
    if tally.fractions["billed_cost"] and not tally.fractions["effective_cost"]:
        notices.append(
            f"every effective cost is a whole number, though {tally.fractions['billed_cost']} billed costs are not: "
            "the export seems to have rounded it"
        )
    is_final = tally.is_final and tally.staged > 0
    if is_final and not tally.closes_month:
        notices.append(ONLY_PURCHASES)
    return Parsed(
        _no_rows(),
        stated_cost=cost,
        stated_rows=rows,
        is_final=is_final and tally.closes_month,
        is_final_once_settled=is_final and not tally.closes_month,
        notices=tuple(notices),
    )


def _count_fractions(costs: pa.ChunkedArray) -> int:
    return int(pl.Series(costs).cast(pl.String).str.contains(r"\.0*[1-9]").sum())


def _no_rows() -> pa.Table:
    return contract("charges").arrow_schema().empty_table()
