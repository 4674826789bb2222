"""What requests that serve a kind of outcome cost, by day, for budgets and their forecasts.

Money is that of `outcome_cohorts`: the price book's, in dollars, of all requests made for the kind, failed ones
included. It is converted at the rate of its month; without one the amount is unknown.
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

import polars as pl

from models.accounts import UNOWNED_USAGE, team_account
from models.money import MONEY
from models.scopes import DIMENSIONS

COHORTS = "outcome_cohorts"
DOLLARS = "USD"
_EXACT = Context(prec=76)
_PLACES = Decimal(10) ** -12

Rates = Mapping[tuple[str, date], Decimal]


def outcome_money(cohorts: pl.DataFrame, currency: str, rates: Rates) -> pl.DataFrame:
    """Rows of `outcome_cohorts` as money by `day` and dimension but the business unit, half up to 12 places.

    `rates`: what a unit of another currency is in `currency`, by that currency and month. `amount` is NULL without.
    """
    cost = "priced_cost_usd"
    months = cohorts["usage_date"].dt.month_start().unique().to_list()
    summed = cohorts.group_by("usage_date", "team_id", "feature", "model_id", "outcome_kind").agg(pl.col(cost).sum())
    known = {**rates, **{(DOLLARS, month): Decimal(1) for month in months if currency == DOLLARS}}
    amounts = [
        _converted(amount, known.get((DOLLARS, day.replace(day=1))))
        for day, amount in summed.select("usage_date", cost).iter_rows()
    ]
    named = summed.with_columns(
        pl.Series("amount", amounts, dtype=MONEY),
        day=pl.col("usage_date"),
        account=team_account(pl.when(pl.col("team_id") != "").then("team_id"), UNOWNED_USAGE),
        provider_name=pl.lit(""),
    )
    return named.select("day", *(name for name in DIMENSIONS if name != "business_unit"), "amount")


def _converted(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    return None if rate is None else _EXACT.multiply(amount, rate).quantize(_PLACES, ROUND_HALF_UP, _EXACT)
