"""How every month that changed stands against the budgets."""

from datetime import date

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.accounts import UNOWNED_USAGE, team_account
from models.budgets import TABLE as BUDGET_STATUS
from models.budgets import AlertRules, budget_status
from models.frames import frame_of
from models.money import MONEY
from models.scopes import COST, DIMENSIONS, OUTCOME_COST, TOKENS
from models.tokens import TOKEN_CLASSES
from pipelines.calendar import next_month
from pipelines.config.schema import Config
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.exchange_rates import rates_to
from pipelines.night.hierarchy import units_of_days, with_units
from pipelines.night.outcome_money import COHORTS, DOLLARS, outcome_money


def build_budget_status(house: House, first: date, last: date) -> Built:
    """Holds the months that a run of the days first..last must rebuild against their budgets."""
    output = contract(BUDGET_STATUS)
    budgets, forecasts = (frame_of(house.lake.read(name)) for name in ("budgets", "forecasts"))
    rules = alert_rules(house.config)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        month = target.slice_date
        rows = budget_status(month, budgets, _charged(house, month), forecasts, rules)
        pieces += replace_slices(house, output, conform(output, rows.to_arrow()), [target])
    note = _note(pieces)
    return Built(BUDGET_STATUS, tuple(target.slice_date for target in targets), sum(map(len, pieces)), note=note)


def alert_rules(config: Config) -> AlertRules:
    """The thresholds as the model takes them."""
    given = config.budget_alerts
    return AlertRules(given.spent, given.breach_chance, given.burn_one_day, given.burn_seven_days)


def _charged(house: House, month: date) -> pl.DataFrame:
    """What a month came to: costs as chargeback has them, tokens as they were logged once, what outcomes cost."""
    no_outcome = pl.lit("").alias("outcome_kind")
    costs = (
        frame_of(house.lake.read("chargeback", month, next_month(month)))
        .with_columns(no_outcome, pl.col("business_unit").fill_null(""))
        .select(
            pl.lit(COST).alias("metric"),
            pl.col("charge_date").alias("day"),
            *DIMENSIONS,
            pl.col("reporting_effective_cost").alias("amount"),
            "billing_currency",
            "period_state",
        )
    )
    once = [pl.col(f"{name}_tokens") - pl.col(f"duplicate_{name}_tokens").fill_null(0) for name in TOKEN_CLASSES]
    usage = frame_of(house.lake.read("usage_by_team_daily", month, next_month(month))).with_columns(
        no_outcome,
        day=pl.col("usage_date"),
        account=team_account(pl.col("team_id"), UNOWNED_USAGE),
        provider_name=pl.lit(""),
    )
    units = units_of_days(house)
    tokens = with_units(usage, units).select(
        pl.lit(TOKENS).alias("metric"),
        "day",
        *DIMENSIONS,
        pl.sum_horizontal(once).cast(MONEY).alias("amount"),
        pl.lit("").alias("billing_currency"),
        pl.lit(None, dtype=pl.String).alias("period_state"),
    )
    return pl.concat([costs, tokens, _outcomes(house, month, units)])


def _outcomes(house: House, month: date, units: pl.DataFrame) -> pl.DataFrame:
    """What requests for outcomes cost; without a rate for the month that is unknown, and the dollars are named."""
    cohorts = frame_of(house.lake.read(COHORTS, month, next_month(month)))
    money = outcome_money(cohorts, house.config.currency, rates_to(house, house.config.currency))
    return with_units(money, units).select(
        pl.lit(OUTCOME_COST).alias("metric"),
        "day",
        *DIMENSIONS,
        "amount",
        pl.lit(DOLLARS).alias("billing_currency"),
        pl.lit(None, dtype=pl.String).alias("period_state"),
    )


def _note(pieces: list[pa.Table]) -> str:
    """How many budgets of months that are not over are overspent, and how many are likely to be."""
    rows = [row for piece in pieces for row in piece.to_pylist() if row["is_current"]]
    over = sum(row["remaining_amount"] < 0 for row in rows)
    likely = sum((row["breach_threshold"] or 0) > 0 and row["remaining_amount"] >= 0 for row in rows)
    return f"{over} of {len(rows)} budgets overspent, {likely} likely to be" if rows else ""
