"""Which months are not over, and which of them is the current one: the one rule of budgets and what-ifs.

    open       the month of the first day that is not settled, and every month since of which a day is told
    current    the newest open month of the bill; of the log where nothing of a bill is forecast
    over       its last day is settled

All three follow from the days that are told, not from the calendar on the wall: a month in which nothing was told yet
has no forecast and no spending to be held against a budget, and the same lake always gives the same answer.

Here belongs: that rule. Here does not belong: what a settled day is, reading the lake.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from models.scopes import COST

_DAY = timedelta(days=1)


def open_months(settled: date, newest: date) -> list[date]:
    """The months that are forecast: the one that the first unsettled day lies in, and those begun since."""
    months = [(settled + _DAY).replace(day=1)]
    while (following := month_after(months[-1])) <= newest:
        months.append(following)
    return months


def current_month(forecast: Iterable[tuple[str, date]]) -> date | None:
    """The current month; None where nothing is forecast.

    Args:
        forecast: metric and first day of the month, of each row of `forecasts`: these are the open months.
    """
    by_metric: dict[bool, set[date]] = {}
    for metric, month in forecast:
        by_metric.setdefault(metric == COST, set()).add(month)
    months = by_metric.get(True) or by_metric.get(False)
    return max(months) if months else None


def shown_months(open_of_budgets: Iterable[date], forecast: Iterable[tuple[str, date]]) -> list[date]:
    """Of the months that budgets call open those from the oldest forecast one to the newest, oldest first.

    A budget of what was never told of has months that nobody can call over, however long ago they were. A log is ahead
    of its bill: budgets of tokens are shown in a month of which no bill tells yet. Where nothing is forecast, all are.
    """
    months = sorted(set(open_of_budgets))
    told = [month for _, month in forecast]
    return [month for month in months if not told or min(told) <= month <= max(told)]


def is_over(month: date, settled: date | None) -> bool:
    """Whether a month's last day is settled; never where nothing was told."""
    return settled is not None and settled >= month_after(month) - _DAY


def month_after(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
