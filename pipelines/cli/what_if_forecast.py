"""`farthing what-if forecast`: where a month ends, and whether its budgets break, under other drivers from now on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import duckdb

    from models.forecast_drivers import Drivers, MonthEnd

LOOKED_BACK = timedelta(days=28)
"""Of how many settled days the part is that follows: four of each weekday."""
_SCOPE = ("metric", "account", "provider_name", "model_id", "feature", "outcome_kind", "business_unit")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """What the caller says: the month, None for the current one, and each driver in per cent."""

    month: date | None
    requests_percent: int
    tokens_percent: int
    price_percent: int

    @property
    def drivers(self) -> "Drivers":
        """As the arithmetic takes them."""
        from models.forecast_drivers import Drivers

        percents = (self.requests_percent, self.tokens_percent, self.price_percent)
        return Drivers(*(Fraction(percent, 100) for percent in percents))


@dataclass(frozen=True)
class Series:
    """A row of `forecasts`, the part of its usage that follows (None: nobody knows), and its budgets in the month."""

    forecast: Row
    follows: Fraction | None
    budgets: Sequence[Row]


def what_if_forecast(console: Console, file: Path, asked: Asked) -> int:
    """Prints each series and its budgets as forecast and as asked. Returns the exit code."""
    import duckdb

    from pipelines.cli.commands import FAILED, OK, WRONG, stopped
    from pipelines.clock import utc_now
    from pipelines.config import ConfigError
    from pipelines.config.place import lake_place
    from pipelines.lake import Lake, LakeError

    try:
        with Lake.open(*lake_place(file), utc_now).published().database() as database:
            months, current = _months(database)
            month = asked.month or current
            found = read_series(database, month) if month is not None and month in months else []
    except ConfigError as error:
        return stopped(console, str(error), WRONG)
    except (LakeError, duckdb.Error) as error:
        return stopped(console, str(error), FAILED)
    if month is None or not found:
        known = f" There are: {', '.join(f'{one:%Y-%m}' for one in months)}." if months else ""
        return stopped(console, f"No month with days left is forecast as asked.{known}", WRONG)
    _print(console, asked, month, found)
    return OK


def _months(database: "duckdb.DuckDBPyConnection") -> tuple[list[date], date | None]:
    """The months with days left, oldest first, and the current month."""
    from models.open_months import current_month

    query = "select metric, billing_period, max(remaining_days) from forecasts group by metric, billing_period"
    found = database.execute(query).fetchall()
    left = sorted({month for _, month, days in found if days > 0})
    return left, current_month((metric, month) for metric, month, _ in found)


def read_series(database: "duckdb.DuckDBPyConnection", month: date) -> list[Series]:
    """The month's series of the organisation and of accounts, and every one that a budget is of."""
    forecasts = _rows(database, "select * from forecasts where billing_period = $month", {"month": month})
    budgets = _rows(database, "select * from budget_status where billing_period = $month", {"month": month})
    found: list[Series] = []
    for row in sorted(forecasts, key=lambda row: (row["metric"], row["level"] != "organisation", _name(row))):
        mine = [budget for budget in budgets if all(budget[name] == row[name] for name in _SCOPE)]
        if mine or row["level"] in ("organisation", "account"):
            found.append(Series(row, _follows(database, row), mine))
    return found


def _follows(database: "duckdb.DuckDBPyConnection", forecast: Row) -> Fraction | None:
    """The part of the last four settled weeks' usage that was of models' tokens; tokens follow in whole.

    Of usage alone, as what is left of a month is forecast from it: purchases, taxes and credits are steps of their own.
    What has no rate is left out of a forecast, and of this.
    """
    if forecast["metric"] != "cost":
        return Fraction(1)
    query = """
        select cost_kind = 'api' as is_api, rates.exchange_rate as rate, sum(effective_cost) as cost
        from costs_by_category
        inner join (
            select billing_period, billing_currency, max(exchange_rate) as exchange_rate
            from chargeback where corrected_period is null group by billing_period, billing_currency
        ) as rates using (billing_period, billing_currency)
        where charge_date > $since and charge_date <= $until and charge_category = 'Usage' and not is_correction
            and $account in ('', account) and $provider_name in ('', provider_name)
            and $model_id in ('', model_id) and $feature in ('', feature) and rates.exchange_rate is not null
        group by is_api, billing_period, billing_currency, rates.exchange_rate
    """
    until = forecast["settled_date"]
    scope = {name: forecast[name] for name in ("account", "provider_name", "model_id", "feature")}
    found = _rows(database, query, {"since": until - LOOKED_BACK, "until": until, **scope})
    costs = [(row["is_api"], Fraction(row["cost"]) * Fraction(row["rate"])) for row in found]
    whole = sum(cost for _, cost in costs)
    if whole <= 0:
        return None
    part = sum((cost for is_api, cost in costs if is_api), Fraction(0)) / whole
    return part if 0 <= part <= 1 else None


def _rows(database: "duckdb.DuckDBPyConnection", query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    found = database.execute(query, given)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _print(console: Console, asked: Asked, month: date, series: Sequence[Series]) -> None:
    from models.forecast_drivers import driven

    console.print(
        f"{month:%Y-%m}, days that are left at {asked.requests_percent} % of the requests, {asked.tokens_percent} % of "
        f"their tokens and {asked.price_percent} % of a token's price, of what is forecast"
    )
    table = Table("of", "unit")
    for title in ("follows", "as forecast", "then", "P10", "P90", "budget", "chance to break", "then"):
        table.add_column(title, justify="right")
    for one in series:
        row = one.forecast
        end = None if one.follows is None else driven(row, asked.drivers, one.follows)
        follows = "unknown" if one.follows is None else f"{round(one.follows * 100)} %"
        ends = (end.p50, end.p10, end.p90) if end else (None, None, None)
        head = (escape(_name(row)), row["unit"], follows, _amount(row["month_end_p50"]), *map(_amount, ends))
        for budget in one.budgets or [None]:
            table.add_row(*head, *_against(budget, row, end))
    console.print(table)
    console.print(
        "What follows is the part of the last four settled weeks' usage that was paid for models' tokens; machines, "
        "purchases and days that are settled stay. A chance needs a forecast with an interval."
    )


def _against(budget: Row | None, row: Row, end: "MonthEnd | None") -> tuple[str, str, str]:
    """The budget and the chance to break it, as forecast and as asked."""
    if budget is None:
        return "", "", ""
    amount = budget["budget_amount"]
    return _amount(amount), _chance(row["quantiles"], amount), _chance(end.quantiles if end else None, amount)


def _chance(quantiles: str | None, amount: Decimal) -> str:
    from models.budgets import breach_chance

    chance = breach_chance(quantiles, amount)
    return "unknown" if chance is None else f"{chance:.0%}"


def _name(row: Row) -> str:
    named = [str(row[name]) for name in _SCOPE[1:] if row[name]]
    return " ".join([*(named or ["everything"]), *([] if row["metric"] == "cost" else [str(row["metric"])])])


def _amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:,.2f}"
