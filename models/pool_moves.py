"""Step 3 and later of the ledger: what reached a shared pool goes to those who carry it, pool after pool.

The cost of a charge in a pool is split once for all that came of the charge by whatever way, GPU state by GPU state. A
pool whose measure knows nobody gives its cost to a residual, and one by a metric to a residual of its own: an unknown
measure is not an even one.

Here belongs: the moves and their weights. Here does not belong: which pool empties first (`models.pool_order`).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from models.accounts import UNALLOCATED
from models.moves import MOVE, SECONDS, TOTALS, split_moves, typed
from models.pool_metrics import UNMEASURED, metric_shares, unmeasured
from models.pool_order import layers, without_circles
from models.pools import Pool, Split
from models.unused import UNUSED
from models.usage_weights import pool_shares, team_costs

FIRST_STEP = 3
_SPAN = ["first_day", "last_day"]
_SOURCE = [
    *("charge_group_id", "from_account", "model_id", "cost_kind"),
    *("cluster", "gpu_model_name", "gpu_state", "is_warm_standby"),
]
_SHARE = ["pool_id", *_SPAN, "billing_currency", "pool_model_id", "to_account", "team_id", "feature", "weight"]
_TEAM = "team:"


class PoolStep(NamedTuple):
    """A step of moves out of pools, and what these were split by."""

    moves: pl.DataFrame
    shares: pl.DataFrame
    """pool_id, first_day, last_day, billing_currency, pool_model_id, to_account, team_id, feature, weight (Int128)."""


def pool_moves(
    spread: pl.DataFrame,
    charges: pl.DataFrame,
    usage: pl.DataFrame,
    pools: Sequence[Pool],
    metrics: pl.DataFrame,
) -> list[pl.DataFrame]:
    """The moves out of shared pools, a frame for each step: as many as pools feed each other deep, at least one.

    Args:
        spread: step 2 in the shape of a move. What it gave to teams is their direct cost.
        charges: columns charge_group_id, billing_currency, first_day, last_day (both included).
        usage: frame in the shape of `usage_by_team_daily`.
        pools: every pool that an owner rule or another pool names.
        metrics: frame in the shape of `pool_metrics`.

    Raises:
        ValueError: money rests in a pool that is not among `pools`, pools feed only one another, or as
            `models.usage_weights.pool_shares`.
    """
    return [step.moves for step in pool_steps(spread, charges, direct_costs(spread, charges), usage, pools, metrics)]


def pool_steps(
    spread: pl.DataFrame,
    charges: pl.DataFrame,
    direct: pl.DataFrame,
    usage: pl.DataFrame,
    pools: Sequence[Pool],
    metrics: pl.DataFrame,
) -> list[PoolStep]:
    """As `pool_moves`, of some of a period's charges: `direct` is what `direct_costs` gives of all of them."""
    _require_known(spread, pools)
    stated = without_circles({pool.account: pool.shares for pool in pools if pool.shares})
    about = charges.select("charge_group_id", "billing_currency", *_SPAN)
    steps: list[PoolStep] = []
    for number, accounts in enumerate(layers([pool.account for pool in pools], stated) or [[]], start=FIRST_STEP):
        emptied = [pool for pool in pools if pool.account in accounts]
        before = pl.concat([spread, *(step.moves for step in steps)])
        resting = _resting(before, emptied).join(about, on="charge_group_id")
        spans = resting.select("pool_id", *_SPAN, "billing_currency").unique()
        measured = _by_metric(spans, metrics, emptied)
        known = pl.concat([_shares(spans, direct, usage, emptied, stated), measured])
        shares = _of_named_teams(known, emptied)
        left = _emptied(resting, shares, unmeasured(emptied))
        steps.append(PoolStep(left.with_columns(pl.lit(number, pl.Int32).alias("step")), shares))
    return steps


def _require_known(spread: pl.DataFrame, pools: Sequence[Pool]) -> None:
    accounts = [pool.account for pool in pools]
    unknown = spread.filter(pl.col("to_account").str.starts_with("pool:"), ~pl.col("to_account").is_in(accounts))
    for account in unknown["to_account"].unique().sort().head(1):
        found = ", ".join(pool.pool_id for pool in pools) or "none"
        raise ValueError(
            f"an owner rule sends money to pool {account.removeprefix('pool:')!r}, which is not among the pools "
            f"({found}): add it"
        )


def _resting(moves: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    """What rests in these pools: a row for each charge, pool, model and GPU state."""
    models = {pool.account: pool.model_id for pool in pools if pool.model_id}
    there = moves.filter(pl.col("to_account").is_in([pool.account for pool in pools])).with_columns(
        from_account="to_account",
        pool_id=pl.col("to_account").str.strip_prefix("pool:"),
        model_id=pl.col("to_account").replace_strict(models, default=pl.col("model_id"), return_dtype=pl.String),
    )
    counted = [
        *(pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in SECONDS),
        *(pl.col(name).fill_null(0).sum() for name in [*TOTALS, "under_used_units"]),
    ]
    # a row number is the group of the split: it must not depend on the order in which rows come
    return there.group_by(*_SOURCE, "pool_id").agg(counted).sort(*_SOURCE).with_row_index("_source")


def direct_costs(spread: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """What step 2 gave each team: columns billing_currency, to_account, team_id, cost (credits left out), seconds.

    Args:
        spread: step 2 of a period, of which to_account, rule_kind, team_id, effective_units and gpu_seconds are read.
        charges: columns charge_group_id, billing_currency.
    """
    # capacity that lies unused is given out like a pool: it makes nobody's share of another pool larger
    was_used = pl.col("rule_kind") != UNUSED
    about = charges.select("charge_group_id", "billing_currency")
    given = spread.filter(pl.col("to_account").str.starts_with(_TEAM), was_used).join(about, on="charge_group_id")
    cost, seconds = pl.col("effective_units"), pl.col("gpu_seconds")
    return given.group_by("billing_currency", "to_account", "team_id").agg(
        cost=cost.filter(cost > 0).sum(), seconds=seconds.fill_null(0).sum().cast(pl.Int128)
    )


def _by_metric(spans: pl.DataFrame, metrics: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    by_metric = [pool for pool in pools if pool.split is Split.METRIC]
    days = spans.select("pool_id", *_SPAN).unique()
    return _complete(spans.join(metric_shares(days, metrics, by_metric), on=["pool_id", *_SPAN]))


def _shares(
    spans: pl.DataFrame,
    direct: pl.DataFrame,
    usage: pl.DataFrame,
    pools: Sequence[Pool],
    stated: Mapping[str, Mapping[str, int]],
) -> pl.DataFrame:
    """Who carries each pool by what the ledger knows, for every span of days and currency."""
    days = spans.select("pool_id", *_SPAN).unique()
    by = {split: [pool for pool in pools if pool.split is split] for split in Split}
    tokens = pool_shares(days, usage, by[Split.WEIGHTED_TOKENS]).rename({"model_id": "pool_model_id"})
    priced = days.filter(pl.col("pool_id").is_in([pool.pool_id for pool in by[Split.PRICED_TOKENS]]))
    found = [
        spans.join(tokens, on=["pool_id", *_SPAN]),
        spans.join(team_costs(priced, usage), on=["pool_id", *_SPAN]),
        spans.join(_stated(pools, stated), on="pool_id"),
    ]
    of = {split: spans.filter(pl.col("pool_id").is_in([pool.pool_id for pool in by[split]])) for split in Split}
    found.append(of[Split.DIRECT_COST].join(direct.with_columns(weight="cost"), on="billing_currency"))
    # a second has no currency
    seconds = direct.group_by("to_account", "team_id").agg(weight=pl.col("seconds").sum())
    found.append(of[Split.GPU_SECONDS].join(seconds, how="cross"))
    return pl.concat([_complete(frame) for frame in found]).filter(pl.col("weight") > 0)


def _stated(pools: Sequence[Pool], stated: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
    rows = [
        (pool.pool_id, account, account.removeprefix(_TEAM) if account.startswith(_TEAM) else None, weight)
        for pool in pools
        for account, weight in stated.get(pool.account, {}).items()
    ]
    texts = dict.fromkeys(("pool_id", "to_account", "team_id"), pl.String())
    return pl.DataFrame(rows, schema={**texts, "weight": pl.Int128()}, orient="row")


def _complete(shares: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, pl.String).alias(name) for name in _SHARE if name not in shares.columns]
    return shares.with_columns(missing).select(*_SHARE)


def _of_named_teams(shares: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    """Without the teams that a pool leaves out."""
    named = [(pool.pool_id, team) for pool in pools if pool.team_ids for team in pool.team_ids]
    only = pl.DataFrame(named, schema={"pool_id": pl.String, "team_id": pl.String}, orient="row")
    free = shares.filter(~pl.col("pool_id").is_in(only["pool_id"].unique().implode()))
    return pl.concat([free, shares.join(only, on=["pool_id", "team_id"], how="semi")])


def _emptied(resting: pl.DataFrame, shares: pl.DataFrame, residuals: Mapping[str, str]) -> pl.DataFrame:
    on = ["pool_id", *_SPAN, "billing_currency"]
    rule = {"rule_kind": pl.lit("pool"), "rule_id": "pool:" + pl.col("pool_id")}
    used = resting.join(shares, on=on).with_columns(**rule, model_id=pl.coalesce("pool_model_id", "model_id"))
    filled = used.with_columns(
        pl.col(name).fill_null(0).cast(pl.Int128).alias(units) for name, units in SECONDS.items()
    )
    # only GPU money has a part that activity did not fill
    unfilled = pl.when(pl.col("gpu_state").is_not_null()).then("under_used_units").alias("under_used_units")
    split = split_moves(filled, [*TOTALS, *SECONDS.values(), "under_used_units"], group="_source")
    own = pl.col("from_account").replace_strict(residuals, default=None, return_dtype=pl.String)
    unused = resting.join(shares, on=on, how="anti").with_columns(
        rule_kind=pl.lit("residual"),
        rule_id=pl.when(own.is_null()).then(pl.lit("pool:unused")).otherwise(pl.lit(UNMEASURED)),
        to_account=own.fill_null(UNALLOCATED),
    )
    return pl.concat([split, typed(unused)]).with_columns(unfilled).select(*MOVE)
