"""The anomalies of the last year, found anew every night from what was billed and logged by then."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import polars as pl

from contracts import conform, contract
from models.accounts import UNOWNED_USAGE, team_account
from models.anomalies import TABLE as ANOMALIES
from models.anomalies import WINDOW_DAYS, anomalies
from models.money import units_of
from pipelines.house import House
from pipelines.night.build import SLICE_SOURCE, Built
from pipelines.night.days_told import told_ahead, window
from pipelines.night.exchange_rates import rates_to
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.stale import content_fingerprint

COSTS, USAGE, OUTCOMES = "costs_by_category", "usage_by_team_daily", "outcome_cohorts"
_NOT_WATCHED = "it is not watched"
_NANO = Decimal(10) ** 9
_LOG_KEYS = ("day", "x_source", "account", "provider_id", "model_id", "key_id", "feature", "environment")
_INPUT = ("input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio")
_OUTPUT = ("output_text", "output_reasoning", "output_audio")

Rates = Mapping[tuple[str, date], Decimal]


def build_anomalies(house: House, _first: date, last: date) -> Built:
    """Judges every settled day of the window again. It follows from what the lake holds, not from the night's days.

    What is in a currency without a rate for its month cannot be compared: it is left out, and named. So is what is
    dated ahead, of a day that has not come: neither the run's last day nor today, whichever is later.
    """
    newest = max(last, house.clock().date())
    currency = house.config.currency
    rates = rates_to(house, currency)
    costs = window(house, COSTS, newest, WINDOW_DAYS, lambda rows: _billed(rows, currency, rates))
    usage = window(house, USAGE, newest, WINDOW_DAYS, lambda rows: _logged(rows, currency, rates))
    has_come = pl.col("day") <= newest
    problems = (
        *_unrated(costs, currency),
        *told_ahead(costs.filter(~has_come), "provider_name", ANOMALIES, _NOT_WATCHED),
        *told_ahead(usage.filter(~has_come), "x_source", ANOMALIES, _NOT_WATCHED),
    )
    known = costs.filter(has_come).drop_nulls("cost_units").drop("billing_currency")
    outcomes = window(house, OUTCOMES, newest, WINDOW_DAYS, lambda rows: _came(rows, currency, rates))
    found = anomalies(known, usage.filter(has_come), _matured(house, outcomes.filter(has_come)), currency=currency)
    rows = conform(contract(ANOMALIES), found.to_arrow())
    house.lake.replace_slice(ANOMALIES, REFERENCE_DATE, SLICE_SOURCE, rows, content_fingerprint(rows))
    return Built(ANOMALIES, (REFERENCE_DATE,), rows.num_rows, note=_note(found), problems=problems)


def _billed(rows: pl.DataFrame, currency: str, rates: Rates) -> pl.DataFrame:
    """Usage alone, in one currency; its cost is NULL where there is no rate."""
    usage = rows.filter((pl.col("charge_category") == "Usage") & ~pl.col("is_correction"))
    return (
        usage.with_columns(units=units_of("effective_cost"), month=pl.col("billing_period"))
        .join(_rate_frame(currency, rates), on=["billing_currency", "month"], how="left")
        .select(
            pl.col("charge_date").alias("day"),
            *("account", "provider_name", "service_name", "model_id", "feature", "cost_kind", "billing_currency"),
            cost_units=_converted(pl.col("billing_currency") == currency),
        )
    )


def _logged(rows: pl.DataFrame, currency: str, rates: Rates) -> pl.DataFrame:
    """What was logged once, in one currency; attempts whose cost is unknown, or has no rate, count as unpriced."""
    once = {
        name: pl.col(f"{name}_tokens") - pl.col(f"duplicate_{name}_tokens").fill_null(0) for name in (*_INPUT, *_OUTPUT)
    }
    cost = units_of("priced_cost_usd").fill_null(0) - units_of("duplicate_cost_usd").fill_null(0)
    attempts = pl.col("request_count") - pl.col("duplicate_count").fill_null(0)
    converted = (
        rows.with_columns(
            day=pl.col("usage_date"),
            month=pl.col("usage_date").dt.month_start(),
            billing_currency=pl.lit("USD"),
            account=team_account(pl.col("team_id"), UNOWNED_USAGE),
            units=cost,
        )
        .join(_rate_frame(currency, rates), on=["billing_currency", "month"], how="left")
        .with_columns(cost_units=_converted(pl.lit(currency == "USD")))
    )
    has_cost = pl.col("cost_units").is_not_null() & pl.col("priced_cost_usd").is_not_null()
    return converted.group_by(*_LOG_KEYS).agg(
        request_count=attempts.sum(),
        priced_request_count=pl.when(has_cost).then(attempts - pl.col("unpriced_count")).otherwise(0).clip(0).sum(),
        failure_count=pl.col("failure_count").sum(),
        tokens=pl.sum_horizontal(once.values()).sum(),
        cache_read_tokens=once["cache_read"].sum(),
        output_tokens=pl.sum_horizontal(once[name] for name in _OUTPUT).sum(),
        cost_units=pl.col("cost_units").fill_null(0).sum(),
    )


def _came(rows: pl.DataFrame, currency: str, rates: Rates) -> pl.DataFrame:
    """What came of a day's requests, by kind, in one currency; without a rate none of their cost is known."""
    converted = (
        rows.filter(pl.col("route") != "none")
        .with_columns(
            day=pl.col("usage_date"),
            month=pl.col("usage_date").dt.month_start(),
            billing_currency=pl.lit("USD"),
            units=units_of("priced_cost_usd"),
        )
        .join(_rate_frame(currency, rates), on=["billing_currency", "month"], how="left")
        .with_columns(cost_units=_converted(pl.lit(currency == "USD")))
    )
    unpriced = pl.when(pl.col("cost_units").is_null()).then("request_count").otherwise("unpriced_count")
    return converted.group_by("day", "outcome_kind").agg(
        pl.col("request_count", "success_count").sum(),
        unpriced_count=unpriced.sum(),
        cost_units=pl.when(pl.col("cost_units").is_not_null().all()).then(pl.col("cost_units").sum()),
    )


def _matured(house: House, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Days of declared kinds of which all outcomes that are expected have come."""
    newest = outcomes["day"].max()
    ages = {kind.name: kind.maturity_days for kind in house.config.outcome_kinds}
    declared = outcomes.filter(pl.col("outcome_kind").is_in(list(ages)))
    if declared.is_empty():
        return declared
    age = pl.lit(newest, pl.Date) - pl.col("day")
    return declared.filter(age >= pl.duration(days=pl.col("outcome_kind").replace_strict(ages, return_dtype=pl.Int64)))


def _rate_frame(currency: str, rates: Rates) -> pl.DataFrame:
    rows = [(name, month, int(rate * _NANO)) for (name, month), rate in rates.items() if name != currency]
    schema = {"billing_currency": pl.String, "month": pl.Date, "nano_rate": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _converted(is_same: pl.Expr) -> pl.Expr:
    """Column `units` at column `nano_rate`, to the pico-unit below."""
    other = pl.col("units") * pl.col("nano_rate").cast(pl.Int128) // int(_NANO)
    return pl.when(is_same).then(pl.col("units")).otherwise(other)


def _note(found: pl.DataFrame) -> str:
    alerts = found.filter(pl.col("is_alert") & (pl.col("state") != "resolved"))
    return f"{alerts.height} alerts that last" if alerts.height else ""


def _unrated(costs: pl.DataFrame, currency: str) -> tuple[str, ...]:
    names: Sequence[str] = costs.filter(pl.col("cost_units").is_null())["billing_currency"].unique().sort().to_list()
    return tuple(
        f"anomalies: costs in {name} are not watched: there is no rate to {currency} for their months (exchange_rates)"
        for name in names
    )
