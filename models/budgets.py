"""How a month stands against its budgets: what is spent, what should be, how fast it goes, and how likely it breaks.

    expected to date   budget x settled days of the month / days of the month
    remaining          budget - spent; below zero when it is overspent
    burn of n days     usage of the last n settled days / (n x budget / days of the month)
    burning            burn of one day > 3 and burn of seven days > 1.5 (the two windows of site reliability's
                       burn-rate alerts: the short one says that it is now, the long one that it is no single spike)
    breach chance      share of the simulated months that end above the budget, shown to a hundredth

Money is compared exactly: a ratio or a chance is rounded for showing, never before it is held against a threshold.

Here belongs: a row of `budget_status`. Here does not belong: configuration, mail.
"""

import calendar
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import polars as pl

from models.forecast_series import within
from models.frames import conform, schema_of
from models.open_months import is_over
from models.scopes import DIMENSIONS, Scope

TABLE = "budget_status"
BUDGET_RULES = "5"
_EXACT = Context(prec=76)
_MONEY = Decimal(10) ** -12
_RATIO = Decimal("0.000001")
_CHANCE = Decimal("0.01")


@dataclass(frozen=True)
class AlertRules:
    """From when on a budget is spoken of: ratios of the budget, chances, and burn of one and of seven days."""

    spent: tuple[Decimal, ...]
    breach_chance: tuple[Decimal, ...]
    burn_one_day: Decimal
    burn_seven_days: Decimal


def budget_status(
    month: date, budgets: pl.DataFrame, charged: pl.DataFrame, forecasts: pl.DataFrame, rules: AlertRules
) -> pl.DataFrame:
    """The month's row of every budget that holds in it, in the shape of `budget_status`.

    A month of which nothing came and nothing is expected has none: what it came to is unknown, and not nothing.

    Args:
        month: its first day.
        budgets: in the shape of `budgets`.
        charged: what the month came to, by metric and day: metric, day, the dimensions, amount (MONEY; NULL where
            there is no rate), billing_currency, period_state (NULL of tokens and outcomes).
        forecasts: in the shape of `forecasts`; of months that are over it has no rows.
        rules: thresholds.
    """
    holds = budgets.filter((pl.col("valid_from") <= month) & (month < pl.col("valid_to")))
    settled = dict(forecasts.group_by("metric").agg(pl.col("settled_date").min()).iter_rows())
    of_month = forecasts.filter(pl.col("billing_period") == month)
    if charged.is_empty() and of_month.is_empty():
        holds = holds.clear()
    by_scope = {_scope(row): row for row in of_month.iter_rows(named=True)}
    rows: list[tuple[object, ...]] = []
    parts = charged.partition_by("metric", as_dict=True)
    of_accounts = charged.partition_by("metric", "account", as_dict=True)  # most budgets are a team's
    for budget in holds.sort("budget_id").iter_rows(named=True):
        scope = _scope(budget)
        key = (scope.metric, scope.account) if scope.account else (scope.metric,)
        part = (of_accounts if scope.account else parts).get(key, charged.clear())
        within_scope = part.filter(within(scope))
        day = _settled_in(month, settled.get(scope.metric))
        # a line that is still to come may be of a scope that has none yet
        told = within_scope if within_scope.height else parts.get((scope.metric,), charged.clear())
        is_provisional = _is_provisional(told, ended=is_over(month, day))
        rows.append((*_row(month, budget, within_scope, day, by_scope.get(scope), rules), is_provisional))
    return conform(pl.DataFrame(rows, schema=schema_of(TABLE), orient="row"), TABLE)


def expected_to_date(budget: Decimal, month: date, settled: date) -> Decimal:
    """What of a month's budget its settled days stand for, half up to 12 places; nothing before its first day."""
    days = (settled - month).days + 1
    return _EXACT.divide(_EXACT.multiply(budget, Decimal(days)), Decimal(_days_in(month))).quantize(
        _MONEY, ROUND_HALF_UP, _EXACT
    )


def burn_ratio(usage: Decimal, days: int, budget: Decimal, month: date) -> Decimal:
    """Usage of so many days to so many days' part of the budget; exact to 76 digits."""
    return _EXACT.divide(_EXACT.multiply(usage, Decimal(_days_in(month))), _EXACT.multiply(budget, Decimal(days)))


def highest(thresholds: Sequence[Decimal], part: Decimal, whole: Decimal) -> Decimal | None:
    """The highest threshold that the part has reached of the whole; None where it has reached none."""
    reached = [threshold for threshold in thresholds if part >= _EXACT.multiply(threshold, whole)]
    return max(reached, default=None)


def breach_chance(quantiles: str | None, budget: Decimal) -> Decimal | None:
    """The share of simulated months that end above the budget, from their quantiles, between two of them by a line.

    None without quantiles; 0 and 1 beyond the outermost ones. Not rounded.
    """
    if quantiles is None:
        return None
    told: Mapping[str, str] = json.loads(quantiles)
    points = sorted((Decimal(share), Decimal(value)) for share, value in told.items())
    below = Decimal(0)
    if budget >= points[-1][1]:
        below = Decimal(1)
    for (share, value), (next_share, next_value) in itertools.pairwise(points):
        if value <= budget < next_value:
            below = share + (next_share - share) * (budget - value) / (next_value - value)
    return 1 - below


def _row(
    month: date,
    budget: Mapping[str, Any],
    charged: pl.DataFrame,
    settled: date | None,
    forecast: Mapping[str, Any] | None,
    rules: AlertRules,
) -> tuple[object, ...]:
    """A row but for its last column."""
    amount: Decimal = budget["budget_amount"]
    spent = _sum(charged)
    unknown = charged.filter(pl.col("amount").is_null())["billing_currency"].unique().sort().to_list()
    until = charged.filter(pl.col("day") <= settled) if settled is not None else charged.clear()
    ended = is_over(month, settled)
    chance = breach_chance(forecast["quantiles"], amount) if forecast else None
    burn_1, burn_7 = _burn(forecast, amount, month)
    is_burning = None if burn_1 is None or burn_7 is None else _is_burning(burn_1, burn_7, rules)
    names = ("budget_id", "metric", "account", "team_id", *DIMENSIONS[1:], "unit")
    return (
        *(month, *(budget[name] for name in names), amount),
        *(spent, ", ".join(unknown) or None, settled, _sum(until)),
        None if settled is None else expected_to_date(amount, month, settled),
        *(_EXACT.subtract(amount, spent), _shown(_EXACT.divide(spent, amount))),
        *(_shown(burn_1), _shown(burn_7), is_burning),
        *_month_end(forecast),
        *(None if chance is None else chance.quantize(_CHANCE), _no_chance(forecast, ended=ended)),
        highest(rules.spent, spent, amount),
        None if chance is None else highest(rules.breach_chance, chance, Decimal(1)),
        not ended,
    )


def _burn(forecast: Mapping[str, Any] | None, amount: Decimal, month: date) -> tuple[Decimal | None, Decimal | None]:
    if forecast is None:
        return None, None
    usage = ((forecast["usage_last_day"], 1), (forecast["usage_last_7_days"], 7))
    one, seven = (None if spent is None else burn_ratio(spent, days, amount, month) for spent, days in usage)
    return one, seven


def _is_burning(one_day: Decimal, seven_days: Decimal, rules: AlertRules) -> bool:
    return one_day > rules.burn_one_day and seven_days > rules.burn_seven_days


def _month_end(forecast: Mapping[str, Any] | None) -> tuple[Decimal | None, ...]:
    return tuple(None if forecast is None else forecast[f"month_end_p{share}"] for share in (10, 50, 90))


def _no_chance(forecast: Mapping[str, Any] | None, *, ended: bool) -> str | None:
    if ended:
        return "the month is over"
    return "nothing was ever told of it" if forecast is None else forecast["no_interval_reason"]


def _is_provisional(charged: pl.DataFrame, *, ended: bool) -> bool:
    """Whether it can still change: the month is not over, or a bill of it is not final."""
    return not ended or charged["period_state"].is_in(["open", "provisional"]).any()


def _settled_in(month: date, settled: date | None) -> date | None:
    """The month's last settled day; the day before the month where none of it is; None where nothing was told."""
    return None if settled is None else max(month - timedelta(days=1), min(settled, _last(month)))


def _sum(charged: pl.DataFrame) -> Decimal:
    total = Decimal(0)
    for amount in charged["amount"].drop_nulls().to_list():
        total = _EXACT.add(total, amount)
    return total


def _scope(row: Mapping[str, Any]) -> Scope:
    return Scope(row["metric"], *(row[name] for name in DIMENSIONS))


def _shown(ratio: Decimal | None) -> Decimal | None:
    return None if ratio is None else ratio.quantize(_RATIO, ROUND_HALF_UP, _EXACT)


def _days_in(month: date) -> int:
    return calendar.monthrange(month.year, month.month)[1]


def _last(month: date) -> date:
    return month.replace(day=_days_in(month))
