"""Step 2 of the ledger: what leaves pool:charges for an owner, a pool or a residual of its own.

What an owner rule names is its owner's; GPUs are split by their seconds, models by what the log says was used. What of
it nobody used (a commitment, provisioned throughput, GPUs that nobody held) goes by the policy for it, and stays apart
from what was used: as a kind of cost of its own, or by its GPU state.

Here belongs: which share of a charge is whose. Here does not belong: the weights, what is unused, shared pools.
"""

from collections.abc import Sequence

import polars as pl

from models.accounts import CHARGES, UNALLOCATED
from models.moves import TOTALS, split_moves, typed
from models.policy import Policy
from models.unlogged import unlogged_parts, with_unlogged
from models.unused import (
    COMMITMENT_KIND,
    PARTS,
    THROUGHPUT_KIND,
    UNUSED,
    UnusedRule,
    unused_commitments,
    unused_throughput,
    without_idle_gpus,
)
from models.usage_weights import SHARE_KEY, api_shares

_OWNER = {"owner_rule_id": "rule_id", "owner_account": "to_account", "owner_team_id": "team_id"}
_SHARE = ["charge_group_id", "rule_id", "rule_kind", *SHARE_KEY, "model_id", "cost_kind", "weight"]


def spread(charges: pl.DataFrame, usage: pl.DataFrame, gpu: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The moves of step 2. A charge that nobody can be charged with has none.

    Args:
        charges: as `models.ledger.owned_charges` gives them.
        usage: frame in the shape of `usage_by_team_daily`, what was logged twice left out.
        gpu: the moves of what GPUs cost.
        policy: who carries unused capacity and prompt caches.
    """
    rest = charges.join(gpu.select("charge_group_id").unique(), on="charge_group_id", how="anti")
    is_owned, is_unused = pl.col("owner_account").is_not_null(), pl.col("cost_kind") == COMMITMENT_KIND
    is_model = (pl.col("cost_kind") != "gpu") & pl.any_horizontal(pl.col("model_id", "provider_id").is_not_null())
    used = rest.filter(~is_owned, ~is_unused, is_model)
    by_tokens = api_shares(used, usage, is_cache_pooled=policy.is_cache_pooled).join(
        used.select("charge_group_id", "model_id"), on="charge_group_id"
    )
    metered = _shares(by_tokens, "priced_tokens")
    if policy.is_unlogged_apart:
        metered = with_unlogged(metered, unlogged_parts(used, usage))
    shares = pl.concat(
        [
            _shares(rest.filter(is_owned).select("charge_group_id", *_OWNER).rename(_OWNER), "direct"),
            _shares(unused_commitments(rest, policy.unused), UNUSED),
            metered,
        ]
    )
    apart = _with_unused(shares, rest.filter(pl.col("used_parts").is_not_null()), policy.unused)
    totals = charges.select("charge_group_id", *TOTALS)
    split = split_moves(apart.join(totals, on="charge_group_id"), TOTALS)
    placed = typed(split.with_columns(step=pl.lit(2), from_account=pl.lit(CHARGES)))
    return pl.concat([without_idle_gpus(gpu, charges, policy.unused), placed])


def _shares(found: pl.DataFrame, rule_kind: str) -> pl.DataFrame:
    """Shares that are complete: one that names no weight is the whole charge."""
    missing = [pl.lit(None, pl.String).alias(name) for name in _SHARE[:-1] if name not in found.columns]
    weight = pl.col("weight") if "weight" in found.columns else pl.lit(1, pl.Int128)
    return found.with_columns(*missing, weight=weight).with_columns(rule_kind=pl.lit(rule_kind)).select(_SHARE)


def _with_unused(shares: pl.DataFrame, measured: pl.DataFrame, rules: Sequence[UnusedRule]) -> pl.DataFrame:
    """The shares with those of measured throughput weighed down to what was used of it, and the unused part beside.

    What was used and nobody logged is unallocated. Whoever owns the throughput owns what is unused of it, too.
    """
    ids = measured.select("charge_group_id", "used_parts")
    known = shares.join(ids, on="charge_group_id")
    lost = ids.join(shares.select("charge_group_id").unique(), on="charge_group_id", how="anti")
    nobody = pl.lit(UNALLOCATED)
    residual = _shares(lost.with_columns(rule_id=pl.lit("unallocated"), to_account=nobody), "residual")
    used = pl.concat([known, residual.join(ids, on="charge_group_id").select(known.columns)])
    whole = used.group_by("charge_group_id").agg(pl.col("weight").sum(), pl.col("used_parts").first())
    is_owned = pl.col("owner_account").is_not_null()
    owned = measured.filter(is_owned).select("charge_group_id", *_OWNER).rename(_OWNER)
    unused = pl.concat(
        [_shares(owned, "direct"), _shares(unused_throughput(measured.filter(~is_owned), rules), UNUSED)]
    ).drop("weight")
    left = whole.select("charge_group_id", weight=pl.col("weight") * (PARTS - pl.col("used_parts")))
    models = measured.select("charge_group_id", "model_id")
    beside = (
        unused.drop("model_id")
        .join(models, on="charge_group_id")
        .join(left, on="charge_group_id")
        .with_columns(cost_kind=pl.lit(THROUGHPUT_KIND))
    )
    weighed = used.with_columns(weight=pl.col("weight") * pl.col("used_parts"))
    apart = pl.concat([weighed.select(_SHARE), beside.select(_SHARE)]).filter(pl.col("weight") > 0)
    return pl.concat([shares.join(ids, on="charge_group_id", how="anti"), apart])
