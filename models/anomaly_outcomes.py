"""What an outcome costs as a watched series, and money that flows on while nothing comes of it.

One series for each kind of outcome: what its requests of a day cost over the successes that came of them. A day without
any counts as one success, so that its whole cost is what a success cost at least. Days count from when all that is
expected of them has come.

Here belongs: that series, and the name of a burn without outcomes. Here does not belong: scores, events, stories.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from models.anomaly_causes import RUNBOOK, Cause
from models.anomaly_series import Panel
from models.anomaly_stories import OUTCOME, OUTCOME_METRIC, Told

MOST_UNPRICED = Decimal("0.05")
"""Of a day's attempts, as for `unit_costs`: with more of unknown cost the day is not known."""
FLAT = Decimal("0.25")
FEW = Decimal("0.5")
"""A burn: cost within a quarter of what was usual, and less than half of the successes."""
WEEKS = 4
_UNITS = 10**12
_NAME = "burn_without_outcomes"


def outcome_panels(outcomes: pl.DataFrame) -> Iterator[Panel]:
    """A panel for each kind of which any success is known.

    Args:
        outcomes: days whose outcomes have come: day, outcome_kind, request_count, unpriced_count, success_count,
            cost_units (10**-12 of the reporting currency, NULL where nobody knows); a row for each day and kind.
    """
    for (kind,), rows in outcomes.sort("day").group_by("outcome_kind", maintain_order=True):
        if not rows["success_count"].sum():
            continue
        first, last = rows["day"][0], rows["day"][-1]
        cost, successes = np.full((2, 1, (last - first).days + 1), np.nan)
        for row in filter(_has_cost, rows.iter_rows(named=True)):
            at = (row["day"] - first).days
            cost[0, at] = row["cost_units"] / _UNITS
            successes[0, at] = row["success_count"]
        least_one = np.maximum(successes, 1.0)
        named = (("", str(kind)),)
        owner, pools = np.nan_to_num(cost), np.zeros(1, dtype=np.int64)
        yield Panel(OUTCOME, OUTCOME_METRIC, named, first, cost / least_one, least_one, owner, pools)


def outcome_cause(told: Told, outcomes: pl.DataFrame) -> Cause:
    """Whether the money of a kind went on as usual while its successes stayed away; else no name.

    The event's days are held against the mean of the same weekdays in the four weeks before it; where one of them has
    none, nothing is said. Days of unknown cost are left out, as of the series.
    """
    unnamed = Cause(None, None, None, "[]", (None, None, None))
    kind = outcomes.filter(pl.col("outcome_kind") == told.outcome_kind)
    days_of_cost = filter(_has_cost, kind.iter_rows(named=True))
    by_day = {row["day"]: (Decimal(row["cost_units"]) / _UNITS, row["success_count"]) for row in days_of_cost}
    onset = told.day(told.event.first_day)
    days = [onset + timedelta(days=number) for number in range(told.event.end_day - told.event.first_day + 1)]
    known = [day for day in days if day in by_day]
    usual = [_usual(by_day, day, onset) for day in known]
    if not known or None in usual:
        return unnamed
    cost, successes = (sum((Decimal(by_day[day][part]) for day in known), Decimal(0)) for part in (0, 1))
    usual_cost, usual_successes = (sum((one[part] for one in usual if one), Decimal(0)) for part in (0, 1))
    if abs(cost - usual_cost) > FLAT * usual_cost or successes >= FEW * usual_successes:
        return unnamed
    count = len(known)
    text = (
        f"Requests for '{told.outcome_kind}' cost {cost / count:.2f} a day, {usual_cost / count:.2f} were usual; "
        f"{successes / count:.1f} successes a day came of them, {usual_successes / count:.1f} were usual."
    )
    return Cause(_NAME, text, RUNBOOK[_NAME], "[]", (None, None, None))


def _has_cost(row: Mapping[str, Any]) -> bool:
    """Whether a day's cost is known, but for few of its attempts."""
    return row["cost_units"] is not None and row["unpriced_count"] <= MOST_UNPRICED * row["request_count"]


def _usual(by_day: Mapping[date, tuple[Decimal, Decimal]], day: date, onset: date) -> tuple[Decimal, Decimal] | None:
    """Mean cost and successes of the weekday in the four weeks before an onset."""
    back = (day - onset).days // 7 + 1
    before = [by_day[one] for week in range(WEEKS) if (one := day - timedelta(weeks=back + week)) in by_day]
    if not before:
        return None
    cost, successes = (sum((Decimal(one[part]) for one in before), Decimal(0)) / len(before) for part in (0, 1))
    return cost, successes
