"""The forecasts of the months that are not over, made anew when days are new and only then."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.accounts import UNOWNED_USAGE, team_account
from models.anomaly_series import BILL_LAG_DAYS, LOG_LAG_DAYS, SILENT_DAYS, settled_through
from models.forecast_series import WINDOW_DAYS, base_scopes
from models.forecasts import TABLE as FORECASTS
from models.forecasts import Told, forecasts
from models.frames import conform as as_contract
from models.frames import frame_of, schema_of
from models.money import money_of, units_of
from models.open_months import open_months
from models.scheduled_costs import Scheduled, scheduled_costs
from models.scopes import COST, DIMENSIONS, OUTCOME_COST, TOKENS, Scope
from models.tokens import TOKEN_CLASSES
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.build import SLICE_SOURCE, Built
from pipelines.night.days_told import told_ahead, window
from pipelines.night.exchange_rates import rates_to
from pipelines.night.hierarchy import units_of_days, with_units
from pipelines.night.outcome_money import COHORTS, DOLLARS, outcome_money
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.stale import HALF, content_fingerprint

COSTS, CHARGED, USAGE = "costs_by_category", "chargeback", "usage_by_team_daily"
RECENT_DAYS = 62  # a provider that was silent for longer is none any more
VERSION = "4"  # of the method: another one makes forecasts of known days anew
_BY = ("day", *DIMENSIONS)
_IS_USAGE = (pl.col("charge_category") == "Usage") & ~pl.col("is_correction")
_NOT_FORECAST = "nothing is forecast from it"
_NO_OUTCOME = pl.lit("").alias("outcome_kind")
_UNITS = 10**12
_NANO = 10**9

Rates = Mapping[tuple[str, date], Decimal]


def build_forecasts(house: House, _first: date, last: date) -> Built:
    """Forecasts what the lake's days let expect. It follows from what the lake holds, not from the night's days.

    Without a rate for a month, costs in another currency cannot be added: they are left out, and named. So is what is
    dated ahead, of a day that has not come: neither the run's last day nor today, whichever is later.
    """
    told, problems = _told(house, max(last, house.clock().date()))
    scopes = {one.metric: _scopes(house, one) for one in told}
    found = _fingerprint(told, scopes)
    stored = [piece.fingerprint[:HALF] for piece in house.lake.slices(FORECASTS)]
    if stored == [found] and not house.options.full_refresh:
        return Built(FORECASTS, (), 0, problems=problems)
    made = [forecasts(one, scopes[one.metric]) for one in told]
    table = pl.concat(made) if made else pl.DataFrame(schema=schema_of(FORECASTS))
    rows = conform(contract(FORECASTS), as_contract(table, FORECASTS).to_arrow())
    fingerprint = found + content_fingerprint(rows)
    house.lake.replace_slice(FORECASTS, REFERENCE_DATE, SLICE_SOURCE, rows, fingerprint)
    note = "; ".join(filter(None, (_note(table), *map(_silent, told))))
    return Built(FORECASTS, (REFERENCE_DATE,), rows.num_rows, note=note, problems=problems)


def _told(house: House, last: date) -> tuple[list[Told], tuple[str, ...]]:
    """What is known of costs, logged tokens and the cost of outcomes up to a day; where nothing is told, nothing."""
    currency = house.config.currency
    rates, units = rates_to(house, currency), units_of_days(house)
    costs = with_units(window(house, COSTS, last, WINDOW_DAYS, lambda rows: _converted(rows, currency, rates)), units)
    usage = with_units(window(house, USAGE, last, WINDOW_DAYS, _logged), units)
    is_ahead = pl.col("day") > last
    problems = (
        *_unrated(costs, currency),
        *told_ahead(costs.filter(is_ahead & _IS_USAGE), "provider_name", FORECASTS, _NOT_FORECAST),
        *told_ahead(usage.filter(is_ahead), "x_source", FORECASTS, _NOT_FORECAST),
    )
    known = costs.filter(~(is_ahead & _IS_USAGE)).drop_nulls("units")
    told = [*_costs(house, known, currency, units), *_tokens(usage.filter(~is_ahead))]
    if _budgets(house, OUTCOME_COST):
        cohorts = window(house, COHORTS, last, WINDOW_DAYS, lambda rows: outcome_money(rows, currency, rates))
        money = with_units(cohorts.filter(~is_ahead), units)
        told += _outcomes(money, usage.filter(~is_ahead), currency)
        problems += _unrated_outcomes(money, currency)
    return told, problems


def _costs(house: House, costs: pl.DataFrame, currency: str, units: pl.DataFrame) -> Iterable[Told]:
    daily = costs.filter(_IS_USAGE).select(*_BY, value=pl.col("units").cast(pl.Float64) / _UNITS)
    settled = settled_through(daily, "provider_name", BILL_LAG_DAYS)
    if settled is None:
        return
    newest = daily.select(pl.col("day").max()).item()
    months = open_months(settled, newest)
    bought = costs.filter(pl.col("charge_category") == "Purchase")
    awaited = {month: _placed(scheduled_costs(bought, month, settled), units) for month in months}
    charged = _charged(house, months)
    yield Told(COST, currency, daily, charged, settled, newest, awaited)


def _placed(awaited: list[Scheduled], units: pl.DataFrame) -> list[Scheduled]:
    """Each in the business unit of its account on its day."""
    days = pl.DataFrame([(one.account, one.day) for one in awaited], ["account", "day"], orient="row")
    found = {row[:2]: row[2] for row in with_units(days, units).iter_rows()} if awaited else {}
    return [replace(one, business_unit=found[one.account, one.day]) for one in awaited]


def _tokens(usage: pl.DataFrame) -> Iterable[Told]:
    settled = settled_through(usage, "x_source", LOG_LAG_DAYS)
    if settled is None:
        return
    daily = usage.select(*_BY, pl.col("tokens").cast(pl.Float64).alias("value"))
    charged = usage.select(
        pl.col("day").dt.month_start().alias("billing_period"), *_BY, units=pl.col("tokens").cast(pl.Int128) * _UNITS
    )
    yield Told(TOKENS, "tokens", daily, charged, settled, usage.select(pl.col("day").max()).item(), {})


def _outcomes(money: pl.DataFrame, usage: pl.DataFrame, currency: str) -> Iterable[Told]:
    """What the requests for outcomes cost: settled as the log is, and 0 on days whose log has none of them.

    Months without a rate have no known day: neither what they have, nor that a day of theirs has nothing.
    """
    unknown = money.filter(pl.col("amount").is_null()).select(pl.col("day").dt.month_start())
    log = usage.filter(~pl.col("day").dt.month_start().is_in(unknown["day"].unique().to_list()))
    money = money.drop_nulls("amount")
    settled = settled_through(log, "x_source", LOG_LAG_DAYS)
    if settled is None or money.is_empty():
        return
    told = money.select(*_BY, value=units_of("amount").cast(pl.Float64) / _UNITS)
    nothing = log.select("day").unique().select("day", *(pl.lit("").alias(n) for n in DIMENSIONS), value=pl.lit(0.0))
    charged = money.select(pl.col("day").dt.month_start().alias("billing_period"), *_BY, units=units_of("amount"))
    newest = log.select(pl.col("day").max()).item()
    yield Told(OUTCOME_COST, currency, pl.concat([told, nothing]), charged, settled, newest, {})


def _scopes(house: House, told: Told) -> list[Scope]:
    """What is forecast: of costs the organisation, accounts and providers; of both, what budgets are for."""
    base = base_scopes(told.daily, COST) if told.metric == COST else []
    return [*base, *_budgets(house, told.metric)]


def _budgets(house: House, metric: str) -> list[Scope]:
    rows = (row for row in house.lake.read("budgets").to_pylist() if row["metric"] == metric)
    return [Scope(metric, *(row[name] for name in DIMENSIONS)) for row in rows]


def _charged(house: House, months: list[date]) -> pl.DataFrame:
    """What the open months came to so far, as chargeback converts it; what has no rate is left out (and told there)."""
    rows = frame_of(house.lake.read(CHARGED, months[0], next_month(months[-1])))
    return (
        rows.drop_nulls("reporting_effective_cost")
        .with_columns(_NO_OUTCOME, pl.col("business_unit").fill_null(""))
        .select(
            "billing_period",
            pl.col("charge_date").alias("day"),
            *_BY[1:],
            units=units_of("reporting_effective_cost"),
        )
    )


def _converted(rows: pl.DataFrame, currency: str, rates: Rates) -> pl.DataFrame:
    """Costs by day and dimension in the statements' currency, to the pico-unit below; NULL where there is no rate."""
    known = pl.DataFrame(
        [(name, month, int(rate * _NANO)) for (name, month), rate in rates.items() if name != currency],
        schema={"billing_currency": pl.String, "billing_period": pl.Date, "nano_rate": pl.Int64},
        orient="row",
    )
    same = pl.col("billing_currency") == currency
    other = units_of("effective_cost") * pl.col("nano_rate").cast(pl.Int128) // _NANO
    return rows.join(known, on=["billing_currency", "billing_period"], how="left").select(
        pl.col("charge_date").alias("day"),
        *("account", "provider_name", "service_name", "model_id", "feature"),
        *("charge_category", "is_correction", "billing_currency"),
        _NO_OUTCOME,
        units=pl.when(same).then(units_of("effective_cost")).otherwise(other),
    )


def _logged(rows: pl.DataFrame) -> pl.DataFrame:
    """Tokens by day and dimension, without those that were logged again."""
    once = [pl.col(f"{name}_tokens") - pl.col(f"duplicate_{name}_tokens").fill_null(0) for name in TOKEN_CLASSES]
    return (
        rows.with_columns(
            day=pl.col("usage_date"),
            account=team_account(pl.col("team_id"), UNOWNED_USAGE),
            provider_name=pl.lit(""),
            outcome_kind=pl.lit(""),
        )
        .group_by("x_source", *(name for name in _BY if name != "business_unit"))
        .agg(tokens=pl.sum_horizontal(once).sum())
    )


def _fingerprint(told: list[Told], scopes: Mapping[str, list[Scope]]) -> str:
    """Of all that the forecasts are made from."""
    parts = [VERSION, str(contract(FORECASTS).arrow_schema())]
    for one in told:
        names = sorted({str(scope) for scope in scopes[one.metric]})
        parts += [str(one.settled), str(one.newest), one.unit, str(names), str(one.scheduled)]
        summed = one.daily.group_by(_BY).agg(pl.col("value").sort().sum())
        parts += [
            content_fingerprint(rows.to_arrow()) for rows in (summed, one.charged.with_columns(money_of("units")))
        ]
    return content_fingerprint(pa.table({"part": parts}))


def _note(found: pl.DataFrame) -> str:
    """How many series have an interval, and how often such intervals held."""
    cost = found.filter(pl.col("metric") == COST)
    held = cost["coverage_ratio"].mean()
    count = cost.filter(pl.col("month_end_p10").is_not_null()).height
    return f"{count} with an interval, which held {held:.0%} of their past" if isinstance(held, float) else ""


def _silent(told: Told) -> str:
    """Providers of the last two months that were not told of on the settled day: since then they count as nothing."""
    if told.metric != COST:
        return ""
    newest = told.daily.group_by("provider_name").agg(pl.col("day").max()).sort("provider_name")
    recent = newest.filter(
        pl.col("day").is_between(told.settled - timedelta(days=RECENT_DAYS), told.settled, closed="none")
    )
    named = [f"{name} (since {day})" for name, day in recent.iter_rows() if told.settled - day > timedelta(SILENT_DAYS)]
    return f"nothing was told of {', '.join(named)}" if named else ""


def _unrated(costs: pl.DataFrame, currency: str) -> tuple[str, ...]:
    names = costs.filter(pl.col("units").is_null())["billing_currency"].unique().sort().to_list()
    return tuple(_without_rate(f"costs in {name}", currency) for name in names)


def _unrated_outcomes(money: pl.DataFrame, currency: str) -> tuple[str, ...]:
    return (_without_rate(f"costs of outcomes in {DOLLARS}", currency),) if money["amount"].has_nulls() else ()


def _without_rate(what: str, currency: str) -> str:
    return f"forecasts: {what} are not forecast: there is no rate to {currency} for their months (exchange_rates)"
