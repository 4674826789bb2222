"""The moves out of shared pools, each with its receiver's weight: the rows of the level of weights that are of pools.

Here belongs: joining moves to receivers. Here does not belong: who received, and by what weight (`pool_weights`).
"""

import polars as pl

from pipelines.explain.evidence import Evidence
from pipelines.explain.journal import AMOUNTS
from pipelines.explain.pool_weights import RECEIVED, days_of

TOLD = ("from_account", "first_day", "last_day", "basis", "weight", "whole_weight", "share_ratio")
_PILE = ("cluster", "gpu_model_name", "gpu_state", "is_warm_standby")
_DAYS = ("first_day", "last_day")


def pool_uses(evidence: Evidence, moves: pl.DataFrame, journal: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """Moves out of pools with what they were weighed by. Others, and those whose charge has changed, are not there.

    Args:
        evidence: the open snapshot.
        moves: entries of the journals.
        journal: every move of their charges.
        shared: what `pool_weights.receivers` gives.

    Returns:
        The moves with `TOLD`, split_effective_cost and split_billed_cost: what left the pool of the charge, by GPU
        state.
    """
    if shared.is_empty():
        told = {name: pl.lit(None) for name in (*TOLD[1:], *(f"split_{name}" for name in AMOUNTS))}
        return moves.clear().with_columns(**told)
    of = ["origin", "period", "charge_group_id", "from_account", *_PILE]
    held = journal.group_by(of).agg(pl.col(name).sum().alias(f"split_{name}") for name in AMOUNTS)
    days = days_of(evidence, moves.select("charge_group_id").unique()).rename({"billing_period": "period"})
    on = ["origin", "period", "from_account", *_DAYS, "billing_currency", "to_account", "feature"]
    return (
        moves.join(days.drop("billing_currency"), on=["period", "charge_group_id"])
        .join(shared.drop("is_asked", *RECEIVED), on=on, nulls_equal=True, maintain_order="left")
        .join(held, on=of, how="left", nulls_equal=True)
    )


def beside(used: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """The level of weights with all receivers of the pools beside it: of the figure they are no part."""
    if shared.is_empty():
        return used
    none = [pl.lit(0).cast(used.schema[name]).alias(name) for name in AMOUNTS]
    return pl.concat([used, shared.with_columns(none)], how="diagonal_relaxed")
