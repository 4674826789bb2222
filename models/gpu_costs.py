"""What every billed GPU-hour cost, by who held it and in which state it was: the ledger's shares, taken to the hour.

Every share of a charge is split over the hours and holders behind it by their time, by largest remainder at 1e-12,
so that hours add up to the ledger's postings and postings to the bill; what activity did not fill of it likewise.
Source: methods of idle-GPU waste, cost by the second of the amortised hourly rate.

Here belongs: that split. Here does not belong: who gets a share (`models.gpu_weights`), what a state is.
"""

import polars as pl

from models.allocation_frame import split_groups
from models.frames import conform, require
from models.gpu_weights import SHARE, gpu_seconds, owned_states
from models.ledger import gpu_moves, owned_charges
from models.money import money_of

_DETAIL = ["hostname", "gpu_uuid", "gpu_instance_id", "namespace", "pod", "metric_used", "holder_source"]
_HOLDER = ["holder_account", "holder_team_id"]
_ABOUT = ["billing_period", "provider_name", "purchase_option", "billing_currency"]
_NAMED = [name for name in SHARE if name not in ("charge_group_id", "rule_id")]
_AMOUNTS = ["effective_units", "under_used_units", "gpu_seconds", "observed_seconds"]


def gpu_costs(
    *,
    charge_groups: pl.DataFrame,
    gpu_states: pl.DataFrame,
    pod_models: pl.DataFrame,
    gpu_labels: pl.DataFrame,
    owners: pl.DataFrame,
) -> pl.DataFrame:
    """The cost of every GPU-hour, in the shape of `gpu_costs_hourly`, ordered by hour, GPU and holder.

    Args:
        charge_groups: what was billed; only what bills GPUs counts.
        gpu_states: frame in the shape of `gpu_states_hourly`.
        pod_models: frame in the shape of `pod_models`.
        gpu_labels: frame in the shape of `gpu_labels`: what rules by labels match.
        owners: frame in the shape of `owners`.

    Raises:
        ValueError: a frame does not keep its contract, or a charge group comes twice.
        OverflowError: the amounts sum to more than DECIMAL(38,12) holds.
    """
    gpu_states, pod_models = require(gpu_states, "gpu_states_hourly"), require(pod_models, "pod_models")
    gpu_labels, owners = require(gpu_labels, "gpu_labels"), require(owners, "owners")
    charges = owned_charges(require(charge_groups, "charge_groups"), gpu_states, owners)
    charges = charges.filter(pl.col("cost_kind") == "gpu")
    states = owned_states(gpu_states, pod_models, gpu_labels, owners)
    moves = gpu_moves(charges, states).select(*SHARE, "effective_units", "under_used_units")
    seconds = gpu_seconds(charges, states, [*_DETAIL, *_HOLDER])
    parts = _split(seconds.join(moves.with_row_index("_share"), on=SHARE, nulls_equal=True))
    costed = parts.join(charges.select("charge_group_id", *_ABOUT), on="charge_group_id").with_columns(
        pl.col("purchase_option").fill_null(""),
        pl.col("metric_used").fill_null(""),
        gpu_seconds=pl.when("carries").then("seconds").otherwise(0),
        observed_seconds=pl.when("carries").then("observed_seconds").otherwise(0),
    )
    key = [*_ABOUT, "resource_id", "hour_start", *_DETAIL, *_NAMED]
    sums = costed.group_by(*key, "holder_team_id").agg(pl.col(name).sum() for name in _AMOUNTS)
    return conform(
        sums.with_columns(
            account=pl.col("to_account"),
            usage_date=pl.col("hour_start").dt.date(),
            effective_cost=money_of("effective_units"),
            under_used_cost=money_of("under_used_units"),
        ).sort(*key, nulls_last=False),
        "gpu_costs_hourly",
    )


def _split(parts: pl.DataFrame) -> pl.DataFrame:
    """Every share's cost over the hours and holders behind it, and its unused part over what was not filled."""
    order = [pl.col(name).cast(pl.String).fill_null("") for name in ("hour_start", "resource_id", *_DETAIL)]
    weighed = parts.with_columns(
        pl.col("microseconds").cast(pl.Int128).alias("_held"),
        pl.col("under_used_microseconds").cast(pl.Int128).alias("_unfilled"),
        pl.concat_str(order, separator="\x00").alias("_tie"),
    )
    held = split_groups(weighed, ["effective_units"], group="_share", weight="_held", tie="_tie")
    is_unfilled = pl.col("_unfilled").sum().over("_share") > 0
    unfilled = split_groups(
        held.filter(is_unfilled), ["under_used_units"], group="_share", weight="_unfilled", tie="_tie"
    )
    return pl.concat([held.filter(~is_unfilled), unfilled])
