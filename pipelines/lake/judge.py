"""Whether a parsed delivery may replace the slice that is there. In doubt the old slice stays, and people are told."""

from datetime import date
from decimal import Decimal

from pipelines.lake.likeness import SameCalls
from pipelines.lake.stage import Order
from pipelines.lake.tables import Tables
from pipelines.lake.totals import Totals, plain
from pipelines.lake.weight import Weight, Weights
from pipelines.limits import Limits

FEW_ROWS = 8  # of so few, any may go or come


def refusal(
    tables: Tables, order: Order, totals: Totals, weights: Weights | None, same: SameCalls | None, *, is_over: bool
) -> tuple[str, str] | None:
    """The status and the words of a refusal; None when the delivery is sound.

    `is_over`: the window had ended when it was asked for. `weights` is what of a bill was there and what came; None for
    other facts, and where nothing was there before. `same` are the calls of a log that was whole and that came again.
    """
    if problem := totals.shortfall() or (totals.unreached(order.window.end) if is_over else None):
        return "incomplete", problem
    if totals.row_count == 0:
        return _refused_empty(tables, order, totals)
    if order.confirmed:
        return None
    shrunk = _refused_shrunk(tables, order, totals, weights)
    return shrunk or _refused_money(order, weights) or _refused_tokens(order, same)


def restated_by(weights: Weights) -> str | None:
    """What a bill of an ended window changed by, for people; None where nothing did, or the window was running."""
    if not weights.is_closed:
        return None
    told = [
        f"restated by {_signed(currency, now.billed - before.billed)} ({_of_currency(currency, before, now)})"
        for currency, before, now in weights.pairs()
        if (before.billed, before.effective) != (now.billed, now.effective)
    ]
    return "; ".join(told) or None


def _refused_shrunk(tables: Tables, order: Order, totals: Totals, weights: Weights | None) -> tuple[str, str] | None:
    """Why a delivery of far fewer rows than the slice that it would replace is not believed; None when it is."""
    before = tables.slice(order.fact, order.slice_date, order.name)
    if before is None or before.row_count < FEW_ROWS:
        return None
    if totals.row_count >= before.row_count * order.limits.least_share:
        return None
    refused = f" and {totals.reject_count} were refused ({totals.first_refusal})" if totals.reject_count else ""
    money = _money(weights) if weights else ""
    return "suspicious_shrink", (
        f"{totals.row_count} rows came{refused} where {before.row_count} were before{money}: "
        f"the delivery looks cut off, what was there stays. If it is whole, confirm it: {_command(order)}"
    )


def _refused_money(order: Order, weights: Weights | None) -> tuple[str, str] | None:
    """Why a bill that weighs far more or far less than what it would replace is not believed; None when it is."""
    for currency, before, now in weights.pairs() if weights else ():
        if max(before.rows, now.rows) < FEW_ROWS or not before.rows:
            continue
        rows = f"{now.rows} rows came where {before.rows} were before"
        told = f"{rows}, {_of_currency(currency, before, now)}{_of_what(weights)}"
        if _lost(before, now, order.limits):
            return "suspicious_shrink", (
                f"{told}: money is missing, what was there stays. "
                f"If the source took it back, confirm it: {_command(order)}"
            )
        if _grew(before, now, order.limits):
            return "suspicious_growth", (
                f"{told}: it looks as if lines came twice, what was there stays. "
                f"If it is true, or what was there was too little, confirm it: {_command(order)}"
            )
    return None


def _refused_tokens(order: Order, same: SameCalls | None) -> tuple[str, str] | None:
    """Why a log is not believed that gives calls far more or far fewer tokens than they had; None when it is."""
    if same is None or same.calls < FEW_ROWS or not same.before:
        return None
    told = (
        f"{same.calls:,} calls that were there came with {same.now:,} tokens where they had {same.before:,}: what was "
        "there stays. Look whether the log's fields or the mapping changed"
    )
    confirm = f"if it is true, confirm it: {_command(order)}"
    if same.now < same.before * order.limits.least_share:
        return "suspicious_shrink", f"{told}; {confirm}"
    if same.now > same.before * order.limits.most_share:
        return "suspicious_growth", f"{told}, or tokens are counted twice; {confirm}"
    return None


def _lost(before: Weight, now: Weight, limits: Limits) -> bool:
    """Whether more of the money went than may; measured by all of it, whatever its sign."""
    may_go = 1 - limits.least_share
    return (
        before.billed - now.billed > before.gross_billed * may_go
        or before.effective - now.effective > before.gross_effective * may_go
    )


def _grew(before: Weight, now: Weight, limits: Limits) -> bool:
    """Whether more lines or more money came than may."""
    may_come = limits.most_share - 1
    return (
        (before.rows >= FEW_ROWS and now.rows > before.rows * limits.most_share)
        or now.billed - before.billed > before.gross_billed * may_come
        or now.effective - before.effective > before.gross_effective * may_come
    )


def _money(weights: Weights) -> str:
    """The money of what is compared, in brackets; nothing where none of it had settled."""
    told = "; ".join(_of_currency(currency, before, now) for currency, before, now in weights.pairs())
    return f" ({told}{_of_what(weights)})" if told else ""


def _of_currency(currency: str, before: Weight, now: Weight) -> str:
    billed = f"{currency} {plain(now.billed)} billed where {plain(before.billed)} were"
    if (now.billed, before.billed) == (now.effective, before.effective):
        return billed
    return f"{billed}, {plain(now.effective)} effective where {plain(before.effective)} were"


def _signed(currency: str, amount: Decimal) -> str:
    return f"{'-' if amount < 0 else '+'}{currency} {plain(abs(amount))}"


def _of_what(weights: Weights | None) -> str:
    return "" if weights is None or weights.is_closed else ", of the days that had settled"


def _command(order: Order) -> str:
    """What to type, to the letter: a day of the slice, and no other source."""
    return f"farthing run {order.slice_date} --source {order.name} --confirm {order.name}"


def _refused_empty(tables: Tables, order: Order, totals: Totals) -> tuple[str, str] | None:
    """Why a delivery without rows may not replace what is there; None when it may."""
    before = _rows_before(tables, order)
    if before is None:
        return None
    day, count = before
    if totals.reject_count:
        return "incomplete", (
            f"every one of its {totals.reject_count} rows was refused ({totals.first_refusal}), and the "
            f"slice of {day} has {count} rows; correct the source or the connector, what came is in landing"
        )
    if order.confirmed:
        return None
    return "suspicious_empty", (
        f"the source delivered nothing, and its slice of {day} has {count} rows; what was there stays. "
        f"If it is true, confirm it: {_command(order)}"
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
