"""How much of a pool each team carries by a measure of the company's own: seats, tickets, whatever it counts.

A month's weights count for each of its days, a day's for that day. A span of days of which a month has no row of the
metric at all has no shares: what nobody measured is not split evenly, it stays with the pool's own residual.

Here belongs: weights out of metrics. Here does not belong: where they come from, the split.
"""

from collections.abc import Sequence

import polars as pl

from models.accounts import team_account
from models.pools import Pool, Split

UNMEASURED = "pool:unmeasured"
"""The rule that leaves with the residual what nobody measured."""
_SPAN = ["first_day", "last_day"]


def metric_shares(spans: pl.DataFrame, metrics: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    """Shares of teams in pools that are split by a metric.

    Args:
        spans: columns pool_id, first_day, last_day (both included), without repetition.
        metrics: frame in the shape of `pool_metrics`.
        pools: the pools that are split by a metric.

    Returns:
        pool_id, first_day, last_day, to_account, team_id, weight (Int128, above zero).
    """
    names = [(pool.pool_id, pool.metric_id) for pool in pools]
    asked = pl.DataFrame(names, schema={"pool_id": pl.String, "metric_id": pl.String}, orient="row")
    days = pl.date_ranges("first_day", "last_day").alias("day")
    each = spans.join(asked, on="pool_id").with_columns(days).explode("day", empty_as_null=False)
    said = metrics.filter(pl.col("weight") > 0).with_columns(units=pl.col("weight").to_physical().cast(pl.Int128))
    found = each.join(said, on="metric_id").filter(
        pl.col("day") >= pl.col("valid_from"), pl.col("day") < pl.col("valid_to")
    )
    key = ["pool_id", *_SPAN]
    month = pl.col("day").dt.month_start()
    # a month without a row is unknown, and so is the whole of what reaches into it
    wanted = each.group_by(key).agg(months=month.n_unique())
    known = found.group_by(key).agg(months=month.n_unique())
    complete = wanted.join(known, on=[*key, "months"], how="semi")
    weighed = found.join(complete, on=key, how="semi").group_by(*key, "team_id").agg(weight=pl.col("units").sum())
    return weighed.with_columns(to_account=team_account(pl.col("team_id"), "")).select(
        *key, "to_account", "team_id", "weight"
    )


def unmeasured(pools: Sequence[Pool]) -> dict[str, str]:
    """The residual in which a pool's cost stays that nobody measured, by the account of the pool."""
    return {pool.account: f"residual:pool:{pool.pool_id}" for pool in pools if pool.split is Split.METRIC}
