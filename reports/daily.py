"""Cost by UTC day and cost kind, and what the chart of it says in words.

Here belongs: the days of a period with what is missing from them. Here does not belong: drawing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from reports.breakdown import Breakdown
from reports.given import Period
from reports.money import ZERO, exact_sum, format_money
from reports.wording import day_label

CHANGING = ("open", "provisional")
"""States of a month in which its bill can change."""


@dataclass(frozen=True)
class DayCost:
    """One day's exact effective cost by cost kind.

    `is_missing` where a source has not delivered the day, `is_provisional` where a bill of it can still change.
    """

    day: date
    costs: Mapping[str, Decimal]
    is_missing: bool = False
    is_provisional: bool = False

    @property
    def total(self) -> Decimal:
        """All kinds together."""
        return exact_sum(self.costs.values())


def daily_costs(rows: pl.DataFrame, period: Period, missing: frozenset[date]) -> tuple[DayCost, ...]:
    """One entry for every day of the period, those without cost included."""
    found: dict[date, dict[str, Decimal]] = {}
    sums = (
        rows.group_by("charge_date", "cost_kind").agg(pl.col("effective_cost").sum()).sort("charge_date", "cost_kind")
    )
    for day, kind, amount in sums.iter_rows():
        found.setdefault(day, {})[kind] = amount
    open_days = {*rows.filter(pl.col("period_state").is_in(CHANGING))["charge_date"].to_list()}
    days = [period.start + timedelta(days=offset) for offset in range(period.day_count)]
    return tuple(DayCost(day, found.get(day, {}), day in missing, day in open_days) for day in days)


def chart_text(days: Sequence[DayCost], period: Period, kinds: Breakdown, currency: str) -> str:
    """The chart for those who cannot see it: its parts, its highest day."""
    parts = ", ".join(f"{x.label} {format_money(x.amount, currency)}" for x in kinds.lines if x.amount)
    peak = max(days, key=lambda day: day.total)
    if peak.total <= ZERO:
        return f"Chart of daily cost in {period.label}: no day has cost."
    highest = f"The highest day is {day_label(peak.day)} with {format_money(peak.total, currency)}."
    return f"Chart of daily cost in {period.label}: {parts}. {highest}"


def chart_note(rows: pl.DataFrame, days: Sequence[DayCost], period: Period, currency: str, apart: str) -> str:
    """What the chart leaves out, if anything: `apart`, which has no rate, days not delivered, charges dated outside."""
    notes = [f"{apart} has no exchange rate and is not in the chart."] if apart else []
    if any(day.is_provisional for day in days):
        notes.append("Hatched days: a bill can still change.")
    if any(day.is_missing for day in days):
        notes.append("Grey days: at least one source has not delivered them.")
    outside = rows.filter((pl.col("charge_date") < period.start) | (pl.col("charge_date") >= period.end))
    if not outside.is_empty():
        amount = format_money(exact_sum(outside["effective_cost"]), currency)
        notes.append(f"{amount} of the total is dated outside of {period.label} and is not in the chart.")
    return " ".join(notes)
