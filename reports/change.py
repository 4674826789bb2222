"""What changed against the month before, and which lines moved it.

Here belongs: the comparison of two periods. Here does not belong: explaining why a line moved.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import polars as pl

from models.minor_units import minor_unit
from reports.breakdown import Breakdown, Sum, split
from reports.given import Period
from reports.lines import service_sums
from reports.money import EXACT, ZERO, exact_sum, format_money, format_ratio, round_to
from reports.tables import Table, signed_table
from reports.wording import MONTHS

MOVER_LIMIT = 5


@dataclass(frozen=True)
class Change:
    """The difference as printed: `total` less `previous_total`, and the lines that add up to it."""

    previous_label: str
    previous_total: Decimal
    difference: Decimal
    ratio: Decimal | None
    movers: Breakdown


def compare(rows: pl.DataFrame, previous: pl.DataFrame, total: Decimal, period: Period, currency: str) -> Change:
    """`total` (as printed) against the month before: against as many of its days while the month is running.

    The ratio is None where the month before was zero or a credit: per cent of that means nothing.
    """
    before = comparable(previous, period)
    unit = minor_unit(currency)
    previous_total = round_to(exact_sum(before["effective_cost"]), unit)
    difference = total - previous_total
    movers = split(_differences(service_sums(rows), service_sums(before)), difference, currency, MOVER_LIMIT)
    ratio = difference / previous_total if previous_total > 0 else None
    return Change(_previous_label(period), previous_total, difference, ratio, movers)


def comparable(previous: pl.DataFrame, period: Period) -> pl.DataFrame:
    """The rows of the month before that compare with `period`: all of them, or its first days while it is running."""
    if period.state != "open":
        return previous
    start = period.previous_start
    return previous.filter(pl.col("charge_date") < start + timedelta(days=period.elapsed_days))


def change_sentence(change: Change, currency: str) -> str:
    """Such as "Up $120.00 (+10.0 %) on June 2026, which cost $1,200.00."."""
    before = f"{change.previous_label}, which cost {format_money(change.previous_total, currency)}."
    if not change.difference:
        return f"Unchanged on {before}"
    direction = "Up" if change.difference > 0 else "Down"
    ratio = "" if change.ratio is None else f" ({format_ratio(change.ratio, signed=True)})"
    return f"{direction} {format_money(abs(change.difference), currency)}{ratio} on {before}"


def change_table(change: Change, currency: str) -> Table | None:
    """The largest movers, adding up to the difference; None where nothing moved."""
    if not change.movers.lines:
        return None
    against = f"Against {change.previous_label}"
    return signed_table("change", "What moved", against, change.movers, currency, total_label="Change")


def _previous_label(period: Period) -> str:
    start = period.previous_start
    label = f"{MONTHS[start.month - 1]} {start.year}"
    return f"the first {period.elapsed_days} days of {label}" if period.state == "open" else label


def _differences(now: list[Sum], before: list[Sum]) -> list[Sum]:
    amounts = {(label, note): amount for label, note, amount in now}
    for label, note, amount in before:
        amounts[label, note] = EXACT.subtract(amounts.get((label, note), ZERO), amount)
    return [(label, note, amount) for (label, note), amount in amounts.items()]
