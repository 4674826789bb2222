"""How much of a GPU charge belongs to whom, by the seconds that each holder spent in each state.

Here belongs: weights out of GPU states. Here does not belong: how states are told apart, the split itself.
"""

import polars as pl

from models.accounts import RESIDUAL_OF_STATE, UNOWNED_GPU, namespace_owners

_WHERE = ["cluster", "gpu_model_name"]


def gpu_shares(charges: pl.DataFrame, gpu_states: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Shares of charges of GPU resources, over the hours that their charge period touches.

    A state in which nobody worked goes to its residual, any other to the owner of the namespace on that day. A charge
    that an owner rule matched keeps that owner for every state. Several lines can charge the same resource and hour
    (compute, storage, a correction): all are split by its seconds, one of them carries the seconds themselves, so that
    seconds still add up.

    Args:
        charges: columns charge_group_id, resource_id, charge_start, charge_end, charge_category, charge_class,
            effective_units, owner_rule_id, owner_account, owner_team_id (the last three NULL without an owner).
        gpu_states: frame in the shape of `gpu_states_hourly`.
        owners: frame in the shape of `owners`.

    Returns:
        charge_group_id, rule_id, to_account, team_id, cluster, gpu_model_name, gpu_state, gpu_seconds (NULL where the
        line does not carry them), weight (Int128, above zero). NULL rule_id: the charge's own owner rule.
    """
    held = _held_seconds(gpu_states, owners)
    hours = _hours(charges)
    owned = hours.join(held, on=["resource_id", "hour_start"]).with_columns(
        rule_id=pl.coalesce("owner_rule_id", "rule_id"),
        to_account=pl.coalesce("owner_account", "to_account"),
        team_id=pl.when(pl.col("owner_account").is_null()).then("team_id").otherwise("owner_team_id"),
    )
    key = ["charge_group_id", "rule_id", "to_account", "team_id", *_WHERE, "gpu_state"]
    carried = pl.when("carries").then("seconds").otherwise(0).sum()
    shares = owned.group_by(key).agg(carried.alias("gpu_seconds"), weight=pl.col("seconds").sum().cast(pl.Int128))
    return shares.with_columns(pl.when(pl.col("gpu_seconds") > 0).then("gpu_seconds")).filter(pl.col("weight") > 0)


def _held_seconds(gpu_states: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    named = gpu_states.join(namespace_owners(gpu_states, owners), on=["namespace", "usage_date"], how="left")
    residual = pl.col("state").replace_strict(RESIDUAL_OF_STATE, default=None, return_dtype=pl.String)
    nobody = residual.is_not_null()
    placed = named.with_columns(
        to_account=pl.coalesce(residual, "to_account", pl.lit(UNOWNED_GPU)),
        team_id=pl.when(~nobody).then("team_id"),
        rule_id=pl.when(nobody)
        .then("gpu_seconds:" + pl.col("state"))
        .otherwise(pl.coalesce("rule_id", pl.lit("gpu_seconds:no_owner"))),
    )
    key = ["resource_id", "hour_start", "rule_id", "to_account", "team_id", *_WHERE, "state"]
    return placed.group_by(key).agg(seconds=pl.col("state_seconds").sum()).rename({"state": "gpu_state"})


def _hours(charges: pl.DataFrame) -> pl.DataFrame:
    """One row for every hour that a charge touches, saying whether the charge carries that hour's seconds."""
    first = pl.col("charge_start").dt.truncate("1h")
    last = pl.max_horizontal(first, (pl.col("charge_end") - pl.duration(microseconds=1)).dt.truncate("1h"))
    hours = charges.with_columns(hour_start=pl.datetime_ranges(first, last, interval="1h")).explode(
        "hour_start", empty_as_null=False
    )
    is_plain_usage = (pl.col("charge_category") == "Usage") & pl.col("charge_class").is_null()
    ranked = hours.with_columns(_plain=is_plain_usage, _size=pl.col("effective_units").abs()).sort(
        "resource_id", "hour_start", "_plain", "_size", "charge_group_id", descending=[False, False, True, True, False]
    )
    return ranked.with_columns(carries=pl.int_range(pl.len()).over("resource_id", "hour_start") == 0)
