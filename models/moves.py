"""Moves of money between two accounts of the ledger, before they become postings.

Here belongs: the shape of a move, and a split of many at once. Here does not belong: who gets a share and why.
"""

from collections.abc import Sequence

import polars as pl

from models.allocation_frame import split_tree

TOTALS = ["billed_units", "effective_units"]
"""Amounts of a move, in pico-units."""
_LEVELS = ["to_account", "feature"]
SECONDS = {f"{kind}gpu_seconds": f"{kind or 'all_'}units" for kind in ("", "observed_", "assumed_")}
IDENTITY = [
    *("charge_group_id", "step", "rule_id", "from_account", "to_account"),
    *("feature", "gpu_state", "cluster", "gpu_model_name", "model_id", "is_warm_standby"),
]
# cost_kind is that of a move which is of another kind than its charge, NULL on all others
MOVE = pl.Schema(
    {
        "charge_group_id": pl.String(),
        "step": pl.Int32(),
        "rule_id": pl.String(),
        "rule_kind": pl.String(),
        "from_account": pl.String(),
        "to_account": pl.String(),
        "team_id": pl.String(),
        "model_id": pl.String(),
        "cost_kind": pl.String(),
        "feature": pl.String(),
        "cluster": pl.String(),
        "gpu_model_name": pl.String(),
        "gpu_state": pl.String(),
        "is_warm_standby": pl.Boolean(),
        "gpu_seconds": pl.Int64(),
        "observed_gpu_seconds": pl.Int64(),
        "assumed_gpu_seconds": pl.Int64(),
        "billed_units": pl.Int128(),
        "effective_units": pl.Int128(),
        "under_used_units": pl.Int128(),
    }
)


def split_moves(shares: pl.DataFrame, totals: Sequence[str], group: str = "charge_group_id") -> pl.DataFrame:
    """Shares as moves: with the part of each in place of its group's totals, by largest remainder.

    It is split from above, between accounts, then between the features of an account, then further: every subtotal is
    within one unit of its quota.

    Args:
        shares: columns of a move as far as they are known, `weight` (Int128, not negative) and the totals of the group.
        totals: columns of whole units that are split.
        group: column that names what is split.
    """
    wide = shares.with_columns(pl.lit(None).alias(name) for name in MOVE if name not in shares.columns)
    order = ["rule_id", "gpu_state", "cluster", "gpu_model_name", *IDENTITY[-2:], "cost_kind"]
    tie = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in order], separator="\x00")
    named = wide.with_columns(pl.col(_LEVELS).cast(pl.String), _tie=tie)
    parts = split_tree(named, totals, group=group, levels=_LEVELS, weight="weight", tie="_tie")
    counted = {name: units for name, units in SECONDS.items() if units in totals}
    return typed(
        parts.with_columns(
            pl.when(pl.col(name).is_not_null()).then(units).alias(name) for name, units in counted.items()
        )
    )


def typed(moves: pl.DataFrame) -> pl.DataFrame:
    """In the shape of a move: what is not there is NULL."""
    missing = [pl.lit(None).alias(name) for name in MOVE if name not in moves.columns]
    return moves.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in MOVE.items())
