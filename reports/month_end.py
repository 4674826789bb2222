"""Where a month that goes on will end, for a team: the forecast of its cost.

Here belongs: the team's row of `forecasts` as a table. Here does not belong: forecasting.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from reports.given import Period
from reports.money import format_money
from reports.tables import NO_VALUE, Row, Table
from reports.wording import clean, day_label


def forecast_table(rows: Iterable[Mapping[str, Any]], period: Period) -> Table | None:
    """The forecast of a running month, of all that the team costs; None for another month or without one."""
    mine = [
        row for row in rows if (row["billing_period"], row["level"], row["metric"]) == (period.start, "account", "cost")
    ]
    if period.state != "open" or not mine:
        return None
    return Table(
        "forecast", "Where the month ends", ("Forecast", "In eight of ten cases", "Month's end"), tuple(map(_row, mine))
    )


def _row(row: Mapping[str, Any]) -> Row:
    low, middle, high, unit = (row[name] for name in ("month_end_p10", "month_end_p50", "month_end_p90", "unit"))
    between = NO_VALUE if low is None else f"{format_money(low, unit)} to {format_money(high, unit)}"
    told = [f"Settled up to {day_label(row['settled_date'])}: {format_money(row['settled_amount'], unit)}"]
    told += _unsettled(row["unsettled_days"])
    told += [f"no interval: {clean(row['no_interval_reason'] or '', 200)}"] if low is None else []
    end = NO_VALUE if middle is None else format_money(middle, unit)
    return Row("All costs of the team", (between, end), "; ".join(told))


def _unsettled(days: int) -> list[str]:
    """The statement's total counts what such days show so far, the forecast does not: it can lie below the total."""
    if not days:
        return []
    one = "the day since then is estimated, whatever is told of it so far"
    return [one if days == 1 else f"the {days} days since then are estimated, whatever is told of them so far"]
