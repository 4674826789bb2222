"""Whether a parsed delivery may replace the slice that is there. In doubt the old slice stays, and people are told."""

from datetime import date

from pipelines.lake.stage import Order
from pipelines.lake.tables import Tables
from pipelines.lake.totals import Totals

# A restated bill changes lines and drops some; it does not lose a quarter of them.
LEAST_SHARE = 0.75
FEW_ROWS = 8  # of so few, any may go


def refusal(tables: Tables, order: Order, totals: Totals) -> tuple[str, str] | None:
    """The status and the words of a refusal; None when the delivery is sound."""
    if problem := totals.shortfall():
        return "incomplete", problem
    return _refused_empty(tables, order, totals) if totals.row_count == 0 else _refused_shrunk(tables, order, totals)


def _refused_shrunk(tables: Tables, order: Order, totals: Totals) -> tuple[str, str] | None:
    """Why a delivery that is much smaller than the slice it would replace is not believed; None when it is."""
    before = tables.slice(order.fact, order.slice_date, order.name)
    if before is None or order.confirmed:
        return None
    came = totals.row_count + totals.reject_count
    if before.row_count < FEW_ROWS or came >= before.row_count * LEAST_SHARE:
        return None
    return "suspicious_shrink", (
        f"{came} rows came where {before.row_count} were before: the delivery looks cut off, what was there stays. "
        f"If it is whole, confirm it: --confirm {order.name}"
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
    if order.confirmed:
        return None
    return "suspicious_empty", (
        f"the source delivered nothing, and its slice of {day} has {count} rows; what was there stays. "
        f"If it is true, confirm it: --confirm {order.name}"
    )


def _rows_before(tables: Tables, order: Order) -> tuple[date, int] | None:
    """The rows of this slice as it stands, or else of the last one before it, if there are any."""
    mine = [
        piece
        for piece in tables.slices(order.fact)
        if piece.slice_source == order.name and piece.slice_date <= order.slice_date
    ]
    here = [piece for piece in mine if piece.slice_date == order.slice_date]
    for piece in here or mine[-1:]:
        if piece.row_count:
            return piece.slice_date, piece.row_count
    return None
