"""Tokens that the provider billed and no log knows: kept apart from those who were logged, if the house wants it so.

Of a model's token class, over a month: what the bill counts beyond what was logged on the same days. Accounts and
projects that an owner rule names are their owners' and are not looked at. It is a lower bound: what was logged of them
counts against the rest. Where the log knows nothing of a model, all of it is unlogged; where it knows the model and not
the class, the class may be named otherwise, and nothing is said. Source: the volume term of the exact identity of bill
and log, sum of price x (billed - logged tokens).

Here belongs: how much of a charge was not logged. Here does not belong: why (`models.reconciliation_volume`).
"""

import polars as pl

from models.tokens import tokens_in
from models.unused import PARTS
from models.usage_weights import PROVISIONED, tokens_by_class

UNATTRIBUTED = "residual:unattributed:"
"""Before the provider's id: where the cost of what nobody logged rests."""
RULE = "unlogged"
_CLASS = ["billing_period", "provider_id", "model_id", "token_class"]
_QUANTITY_SCALE = 10**12


def unlogged_parts(charges: pl.DataFrame, usage: pl.DataFrame) -> pl.DataFrame:
    """How much of each charge by the token was not logged, where that is known and more than nothing.

    Args:
        charges: columns charge_group_id, billing_period, provider_id, model_id, token_class, is_throughput,
            charge_category, consumed_quantity, consumed_unit, first_day, last_day (both included).
        usage: frame in the shape of `usage_by_team_daily`, what was logged twice left out.

    Returns:
        charge_group_id, provider_id, unlogged_parts (Int128, of `PARTS`, above zero).
    """
    is_metered = (pl.col("charge_category") == "Usage") & ~pl.col("is_throughput")
    metered = charges.filter(is_metered, pl.all_horizontal(pl.col("model_id", "token_class").is_not_null()))
    sizes = {unit: tokens_in(unit) for unit in metered["consumed_unit"].drop_nulls().unique()}
    per_unit = pl.col("consumed_unit").replace_strict(sizes, default=None, return_dtype=pl.Int64)
    counted = metered.with_columns(billed=pl.col("consumed_quantity").to_physical() * per_unit.cast(pl.Int128))
    billed = counted.group_by(_CLASS).agg(pl.col("billed").sum(), is_known=pl.col("billed").is_not_null().all())
    days = pl.date_ranges("first_day", "last_day").alias("usage_date")
    touched = counted.select(*_CLASS, days).explode("usage_date", empty_as_null=False).unique()
    bought = usage.filter(~pl.col("is_self_hosted"), pl.col("service_tier") != PROVISIONED)
    on = ["usage_date", "provider_id", "model_id"]
    daily = (
        tokens_by_class(bought.with_columns(to_account=pl.lit("")))
        .group_by(*on, "token_class")
        .agg(pl.col("weight").sum())
    )
    logged = touched.join(daily, on=[*on, "token_class"]).group_by(_CLASS).agg(logged=pl.col("weight").sum())
    of_model = touched.drop("token_class").unique().join(daily, on=on).group_by(_CLASS[:-1])
    seen = of_model.agg(model_logged=pl.col("weight").sum())
    both = billed.join(logged, on=_CLASS, how="left").join(seen, on=_CLASS[:-1], how="left")
    is_unseen = pl.col("model_logged").fill_null(0) == 0
    beyond = pl.col("billed") - pl.col("logged").fill_null(0) * _QUANTITY_SCALE
    parts = pl.when(is_unseen).then(PARTS).when(pl.col("logged") > 0).then(beyond * PARTS // pl.col("billed"))
    gaps = both.filter("is_known", pl.col("billed") > 0).select(*_CLASS, unlogged_parts=parts.cast(pl.Int128))
    found = counted.join(gaps.filter(pl.col("unlogged_parts") > 0), on=_CLASS)
    return found.select("charge_group_id", "provider_id", "unlogged_parts")


def with_unlogged(shares: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Shares of charges with what nobody logged of each beside them.

    Args:
        shares: columns charge_group_id, rule_id, rule_kind, to_account, weight and others, which are NULL of the rest.
        parts: frame of `unlogged_parts`.
    """
    kept = shares.join(parts, on="charge_group_id", how="left").with_columns(pl.col("unlogged_parts").fill_null(0))
    # where there are no shares, all of it is unlogged, whatever its part
    whole = parts.join(shares.group_by("charge_group_id").agg(pl.col("weight").sum()), on="charge_group_id", how="left")
    beside = whole.select(
        "charge_group_id",
        rule_id=pl.lit(RULE),
        rule_kind=pl.lit("residual"),
        to_account=UNATTRIBUTED + pl.col("provider_id"),
        weight=pl.col("weight").fill_null(1) * pl.col("unlogged_parts"),
    )
    weighed = kept.with_columns(weight=pl.col("weight") * (PARTS - pl.col("unlogged_parts"))).select(shares.columns)
    return pl.concat([weighed, beside], how="diagonal").select(shares.columns).filter(pl.col("weight") > 0)
