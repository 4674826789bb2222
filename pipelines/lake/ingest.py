"""One delivery from a source into the lake: land, parse, hold against its control totals, replace the slice, record.

The order is the guarantee. Bytes land first. Refused rows are stored before the slice, the slice before the journal's
entry; only a journalled slice counts as delivered, so a run that dies in between does the rest again and ends in the
same tables. Whatever is wrong with the delivery, the slice that was there stays.
"""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from connectors.base import IncompleteDeliveryError, Parsed, Source, SourceError, SourceSettings, Window
from pipelines.lake.blame import blamed
from pipelines.lake.deliveries import Delivery, Journal, delivery_id
from pipelines.lake.errors import ContractBrokenError
from pipelines.lake.landing import Landed, land
from pipelines.lake.rejects import REJECTS, reject_rows
from pipelines.lake.root import Root
from pipelines.lake.rows import SliceWriter, Written
from pipelines.lake.slices import Slice
from pipelines.lake.tables import Tables
from pipelines.lake.totals import Totals


@dataclass(frozen=True)
class Order:
    """What is to be ingested: a source under its settings, for one window."""

    source: Source
    settings: SourceSettings
    window: Window
    confirm_empty: bool

    @property
    def fact(self) -> str:
        """The staged fact it feeds."""
        return self.source.fact


@dataclass(frozen=True)
class Staged:
    """A delivery parsed into spool files."""

    rows: list[Written]
    rejects: list[Written]
    totals: Totals


def ingest(root: Root, tables: Tables, journal: Journal, order: Order, delivery: Delivery) -> Delivery:
    """Carries out an order and records its outcome. A source's fault is an outcome, never an exception.

    Raises only what is wrong with the lake itself, a full disk say.
    """
    outcome = _outcome(root, tables, journal, order, delivery)
    journal.append(outcome)
    return outcome


def _outcome(root: Root, tables: Tables, journal: Journal, order: Order, delivery: Delivery) -> Delivery:
    settings, window = order.settings, order.window
    try:
        landed = land(
            root, settings, window, blamed(settings, "fetching", lambda: order.source.fetch(settings, window))
        )
    except SourceError as error:
        return replace(delivery, status=_status(error), message=str(error))
    came = replace(
        delivery,
        delivery_id=delivery_id(settings, order.fact, landed.pages),
        page_count=len(landed.pages),
        byte_count=landed.byte_count,
    )
    served = journal.served(settings.name, window.slice_date)
    if served is not None and _stands(tables, order, came, served):
        return _unchanged(came, served)
    with root.spool() as folder:
        try:
            staged = _stage(folder, order, landed)
        except (SourceError, ContractBrokenError) as error:
            return replace(came, status=_status(error), message=str(error))
        return _settle(tables, order, came, staged, served, landed.repeated)


def _stands(tables: Tables, order: Order, came: Delivery, served: Delivery) -> bool:
    """Whether the slice in place was made from this very delivery, and recorded."""
    current = _current(tables, order)
    return current is not None and current.fingerprint == came.delivery_id == served.delivery_id


def _unchanged(came: Delivery, served: Delivery) -> Delivery:
    return replace(
        came,
        status="unchanged",
        row_count=served.row_count,
        reject_count=served.reject_count,
        duplicate_count=served.duplicate_count,
        total_cost=served.total_cost,
        rejected_cost=served.rejected_cost,
        stated_cost=served.stated_cost,
        is_final=served.is_final,
    )


def _stage(folder: Path, order: Order, landed: Landed) -> Staged:
    """Parses the landed pages, chunk by chunk, into spool files that belong to nothing yet."""
    settings, window = order.settings, order.window
    totals = Totals(order.fact)
    rows, rejects = SliceWriter(order.fact, folder), SliceWriter(REJECTS, folder)
    try:
        for chunk in blamed(settings, "parsing", lambda: order.source.parse(settings, window, landed.pages)):
            _require_slice(order, chunk)
            rows.write(chunk.rows)
            rejects.write(reject_rows(settings, order.fact, window, chunk.rejects))
            totals.add(chunk)
        return Staged(rows.finish(), rejects.finish(), totals)
    finally:
        rows.abandon()
        rejects.abandon()


def _require_slice(order: Order, chunk: Parsed) -> None:
    """Every row must belong to the slice that is replaced: elsewhere it would be counted twice by and by."""
    expected = {"x_source": order.settings.name, "x_slice_date": order.window.slice_date}
    for name, value in expected.items():
        if name not in chunk.rows.column_names:
            continue
        others = [found for found in chunk.rows[name].unique().to_pylist() if found != value]
        if others:
            raise ContractBrokenError(
                f"{order.fact}.{name}: found {others[0]!r}, expected {value!r} on every row of this delivery"
            )


def _settle(
    tables: Tables,
    order: Order,
    came: Delivery,
    staged: Staged,
    served: Delivery | None,
    repeated: tuple[str, ...],
) -> Delivery:
    """Decides what becomes of a parsed delivery, and takes it in if it is sound."""
    totals = staged.totals
    counted = replace(
        came,
        reject_count=totals.reject_count,
        duplicate_count=totals.duplicate_count,
        rejected_cost=totals.rejected_cost,
        stated_cost=totals.stated_cost,
    )
    if problem := totals.shortfall():
        return replace(counted, status="incomplete", message=problem)
    if totals.row_count == 0 and (refusal := _refused_empty(tables, order, totals)):
        return replace(counted, status=refusal[0], message=refusal[1])
    _take_in(tables, order, came, staged)
    notices = [*totals.notices, *(f"{name!r} came more than once and was counted once" for name in repeated)]
    return replace(
        counted,
        status="committed" if totals.row_count or totals.reject_count else "empty",
        row_count=totals.row_count,
        total_cost=totals.total_cost,
        previous_total_cost=served.total_cost if served else None,
        is_final=totals.is_final,
        message="; ".join(notices) or None,
    )


def _refused_empty(tables: Tables, order: Order, totals: Totals) -> tuple[str, str] | None:
    """Why a delivery without rows may not replace what is there; None when it may."""
    before = _rows_before(tables, order)
    if before is None:
        return None
    day, count = before
    if totals.reject_count and totals.first_reject:
        first = totals.first_reject
        return "incomplete", (
            f"every one of its {totals.reject_count} rows was refused (the first: {first.reason}: {first.detail}), and "
            f"the slice of {day} has {count} rows; correct the source or the connector, what came is in landing"
        )
    if order.confirm_empty:
        return None
    return "suspicious_empty", (
        f"the source delivered nothing, and its slice of {day} has {count} rows; what was there stays. "
        f"If it is true, confirm it: --confirm-empty {order.settings.name}"
    )


def _rows_before(tables: Tables, order: Order) -> tuple[date, int] | None:
    """The rows of this slice as it stands, or else of the last one before it, if there are any."""
    mine = [
        piece
        for piece in tables.slices(order.fact)
        if piece.slice_source == order.settings.name and piece.slice_date <= order.window.slice_date
    ]
    here = [piece for piece in mine if piece.slice_date == order.window.slice_date]
    for piece in here or mine[-1:]:
        if piece.row_count:
            return piece.slice_date, piece.row_count
    return None


def _take_in(tables: Tables, order: Order, came: Delivery, staged: Staged) -> None:
    fingerprint = came.delivery_id or ""
    day, name = order.window.slice_date, order.settings.name
    refused_before = any(p.slice_date == day and p.slice_source == name for p in tables.slices(REJECTS))
    if staged.totals.reject_count or refused_before:
        tables.replace_by_files(REJECTS, day, name, staged.rejects, fingerprint)
    tables.replace_by_files(order.fact, day, name, staged.rows, fingerprint)


def _current(tables: Tables, order: Order) -> Slice | None:
    for piece in tables.slices(order.fact):
        if piece.slice_date == order.window.slice_date and piece.slice_source == order.settings.name:
            return piece
    return None


def _status(error: Exception) -> str:
    return "incomplete" if isinstance(error, IncompleteDeliveryError) else "failed"
