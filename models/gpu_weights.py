"""How much of a GPU charge belongs to whom, by the seconds that each holder spent in each state.

Here belongs: weights out of GPU states. Here does not belong: how states are told apart, the split itself.
"""

from collections.abc import Sequence

import polars as pl
from polars import selectors as cs

from models.accounts import HOLDER, NODE, RESIDUAL_OF_STATE, UNOWNED_GPU, holder_owners, node_owners

GPU_SECOND_RULES = "2"
"""Version of how seconds are told beside money: the ledger's own `RULES` stand for the money."""
SHARE = [
    *("charge_group_id", "rule_id", "to_account", "team_id", "cluster", "gpu_model_name", "gpu_state"),
    *("model_id", "is_warm_standby"),
]
"""What names one share of a charge."""

_COUNTED = {
    "seconds": "gpu_seconds",
    "observed_seconds": "observed_gpu_seconds",
    "assumed_seconds": "assumed_gpu_seconds",
}
_POD_HOUR = ["hour_start", "cluster", "namespace", "pod"]
_OF_STATE = ["cluster", "gpu_model_name", "gpu_state", "model_id", "is_warm_standby"]


def owned_states(
    gpu_states: pl.DataFrame, pod_models: pl.DataFrame, gpu_labels: pl.DataFrame, owners: pl.DataFrame
) -> pl.DataFrame:
    """GPU states with what was served and whose they are.

    A state in which nobody worked goes to the owner of the node, else to its residual; any other to the holder's on
    that day: also unknown time of a known holder, who held the GPU whatever it did.

    Args:
        gpu_states: frame in the shape of `gpu_states_hourly`.
        pod_models: frame in the shape of `pod_models`: which model a pod served.
        gpu_labels: frame in the shape of `gpu_labels`: what rules by labels match.
        owners: frame in the shape of `owners`.

    Returns:
        The columns of `gpu_states_hourly` (state as gpu_state), model_id, rule_id, to_account, team_id, and
        holder_account and holder_team_id: whose the holder is, whatever the state; NULL where nobody held it.
    """
    of_holder = holder_owners(gpu_states, gpu_labels, owners).rename(
        {"to_account": "holder_account", "team_id": "holder_team_id"}
    )
    of_node = node_owners(gpu_states, gpu_labels, owners).rename(
        {"rule_id": "node_rule_id", "to_account": "node_account", "team_id": "node_team_id"}
    )
    named = (
        gpu_states.join(of_holder, on=HOLDER, how="left")
        .join(of_node, on=NODE, how="left")
        .join(pod_models.select(*_POD_HOUR, "model_id"), on=_POD_HOUR, how="left")
    )
    is_held = pl.col("namespace") != ""
    of_state = pl.col("state").replace_strict(RESIDUAL_OF_STATE, default=None, return_dtype=pl.String)
    residual = pl.when(~((pl.col("state") == "unknown") & is_held)).then(of_state)
    nobody = residual.is_not_null()
    return (
        named.with_columns(
            holder_account=pl.when(is_held).then(pl.coalesce("holder_account", pl.lit(UNOWNED_GPU))),
            to_account=pl.when(nobody)
            .then(pl.coalesce("node_account", residual))
            .otherwise(pl.coalesce("holder_account", pl.lit(UNOWNED_GPU))),
            team_id=pl.when(nobody).then("node_team_id").otherwise("holder_team_id"),
            rule_id=pl.when(nobody)
            .then(pl.coalesce("node_rule_id", "gpu_seconds:" + pl.col("state")))
            .otherwise(pl.coalesce("rule_id", pl.lit("gpu_seconds:no_owner"))),
        )
        .drop("node_rule_id", "node_account", "node_team_id")
        .rename({"state": "gpu_state"})
    )


def gpu_shares(charges: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """Shares of charges of GPU resources, over the hours that their charge period touches.

    A charge that an owner rule matched keeps that owner for every state. Several lines can charge the same resource and
    hour (compute, storage, a correction): all are split by its seconds, one of them carries the seconds themselves, so
    that seconds still add up.

    Args:
        charges: columns charge_group_id, resource_id, charge_start, charge_end, charge_category, charge_class,
            effective_units, owner_rule_id, owner_account, owner_team_id (the last three NULL without an owner).
        states: frame of `owned_states`.

    Returns:
        The columns of `SHARE`, gpu_seconds and of these observed_gpu_seconds and assumed_gpu_seconds, whose holder is
        assumed (NULL where the line does not carry them), weight (Int128, above zero: microseconds) and of it
        under_used_weight. NULL rule_id: the charge's own owner rule.
    """
    owned = gpu_seconds(charges, states, [])
    carried = {name: pl.when("carries").then(name).otherwise(0).sum() for name in _COUNTED}
    shares = owned.group_by(SHARE).agg(
        *(sums.alias(_COUNTED[name]) for name, sums in carried.items()),
        pl.col("carries").any(),
        under_used_weight=pl.col("under_used_microseconds").sum(),
        weight=pl.col("microseconds").sum().cast(pl.Int128),
    )
    return shares.with_columns(pl.when("carries").then(name).alias(name) for name in _COUNTED.values()).drop("carries")


def gpu_seconds(charges: pl.DataFrame, states: pl.DataFrame, detail: Sequence[str]) -> pl.DataFrame:
    """The seconds behind those shares, by hour: the same arguments, and columns of `states` to tell apart.

    Returns:
        The columns of `SHARE` and of `detail`, resource_id, hour_start, carries (whether the charge carries the seconds
        of that hour), seconds, observed_seconds (whose state a sample tells), assumed_seconds (whose holder is
        assumed), microseconds and under_used_microseconds, by which money is split (all Int64).
    """
    key = ["resource_id", "hour_start", "rule_id", "to_account", "team_id", *_OF_STATE, *detail]
    held = states.group_by(key).agg(
        seconds=pl.col("state_seconds").sum(),
        microseconds=pl.col("state_microseconds").sum(),
        under_used_microseconds=pl.col("under_used_microseconds").sum(),
        observed_seconds=pl.when(pl.col("gpu_state") != "unknown").then("observed_seconds").otherwise(0).sum(),
        assumed_seconds=pl.when(pl.col("holder_source") == "assumed").then("state_seconds").otherwise(0).sum(),
    )
    placed = (
        _hours(charges)
        .join(held, on=["resource_id", "hour_start"])
        .with_columns(
            rule_id=pl.coalesce("owner_rule_id", "rule_id"),
            to_account=pl.coalesce("owner_account", "to_account"),
            team_id=pl.when(pl.col("owner_account").is_null()).then("team_id").otherwise("owner_team_id"),
        )
    )
    return placed.drop(
        "charge_start", "charge_end", "charge_category", "charge_class", "effective_units", cs.starts_with("owner_")
    )


def _hours(charges: pl.DataFrame) -> pl.DataFrame:
    """One row for every hour that a charge touches, saying whether the charge carries that hour's seconds.

    Only plain usage carries them: what a later bill corrects or credits of an hour stands alone there, and the hour's
    seconds are already told.
    """
    of_charge = [
        *("charge_group_id", "resource_id", "charge_start", "charge_end", "charge_category", "charge_class"),
        *("effective_units", "owner_rule_id", "owner_account", "owner_team_id"),
    ]
    first = pl.col("charge_start").dt.truncate("1h")
    last = pl.max_horizontal(first, (pl.col("charge_end") - pl.duration(microseconds=1)).dt.truncate("1h"))
    hours = (
        charges.select(of_charge)
        .with_columns(hour_start=pl.datetime_ranges(first, last, interval="1h"))
        .explode("hour_start", empty_as_null=False)
    )
    is_plain_usage = (pl.col("charge_category") == "Usage") & pl.col("charge_class").is_null()
    ranked = hours.with_columns(_plain=is_plain_usage, _size=pl.col("effective_units").abs()).sort(
        "resource_id", "hour_start", "_plain", "_size", "charge_group_id", descending=[False, False, True, True, False]
    )
    is_first = pl.int_range(pl.len()).over("resource_id", "hour_start") == 0
    return ranked.with_columns(carries=is_first & pl.col("_plain"))
