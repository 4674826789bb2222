"""What shared pools were split by: every receiver of a pool that money came through, its weight, and what it received.

The weights are those of `models.pool_moves`, worked out again from the tables that the night reads; with them it splits
the charges again, and what does not come out as the journal has it is said. A locked month keeps its journal, not its
weights: where today's make other sums, none are shown.

Here belongs: receivers and weights. Here does not belong: which of the moves are asked about (`journal`, `weights`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from models.accounts import CHARGES
from models.ledger import DAYS_TOUCHED
from models.money import MONEY, money_of, units_of
from models.moves import typed
from models.pool_moves import PoolStep, direct_costs, pool_steps
from models.pools import Pool
from models.usage_weights import logged_once
from pipelines.calendar import next_month
from pipelines.explain.evidence import Evidence
from pipelines.explain.inputs import input_of
from pipelines.explain.journal import AMOUNTS, POSTED, RESTATED
from pipelines.explain.pool_measures import measure
from pipelines.explain.rules import Rules

SET = ("origin", "period", "from_account", "first_day", "last_day", "billing_currency")
"""What tells apart the times that a pool was split by other weights."""
RECEIVED = tuple(f"received_{name}" for name in AMOUNTS)
OFF = tuple(f"off_{name}" for name in AMOUNTS)
"""How far the journal is from what the weights come to, charge by charge, all receivers for themselves."""
_WHO = ("to_account", "feature")
_SPAN = ("first_day", "last_day")
_NOBODY = "nobody has a weight"
_THEN = "weights are not kept: those of today make other sums"
_TODAY = ", by the tables and rules of today"
_GONE = "weights are not known: the pool is not in the configuration any more"


def receivers(evidence: Evidence, moves: pl.DataFrame, journal: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """All who received of the pools that the money of moves came through, a row for each, pool and span of days.

    Args:
        evidence: the open snapshot.
        moves: entries of the journals.
        journal: every move of their charges.
        rules: the rules of the configuration, with its pools.

    Returns:
        `SET`, `_WHO`, basis (unit of the weight, or why there is none), weight, whole_weight (of all receivers, NULL
        where they have more digits than a column), share_ratio, `RECEIVED` (of the moves' charges), `OFF` (in units of
        the last decimal), is_asked (whether moves to it are among those asked about).
    """
    found: list[pl.DataFrame] = []
    for (origin, period), own in journal.group_by("origin", "period", maintain_order=True):
        asked = moves.filter(origin=origin, period=period)
        out = own.filter(pl.col("from_account").is_in(sorted(_passed(asked, own))), pl.col("rule_kind") != "correction")
        if not out.is_empty() and isinstance(period, date):
            found.append(_received(evidence, str(origin), period, own, out, rules))
    if not found:
        return pl.DataFrame()
    mine = moves.select("origin", "period", "from_account", *_WHO).unique().with_columns(is_asked=pl.lit(value=True))
    marked = pl.concat(found).join(mine, on=["origin", "period", "from_account", *_WHO], how="left", nulls_equal=True)
    return marked.with_columns(pl.col("is_asked").fill_null(value=False)).sort(*SET, *_WHO)


def days_of(evidence: Evidence, ids: pl.DataFrame) -> pl.DataFrame:
    """The days that charges touch: billing_period, charge_group_id, billing_currency, first_day, last_day."""
    groups = evidence.published("charge_groups", "t.charge_group_id in (select charge_group_id from ids)", ids=ids)
    return groups.with_columns(**DAYS_TOUCHED).select("billing_period", "charge_group_id", "billing_currency", *_SPAN)


def _passed(asked: pl.DataFrame, journal: pl.DataFrame) -> set[str]:
    """The pools that money came through: those that the moves leave, and those that fed them."""
    is_pool = pl.col("from_account").str.starts_with("pool:") & (pl.col("from_account") != CHARGES)
    edges = journal.filter(is_pool).select("from_account", "to_account").unique().rows()
    ahead = asked.filter(is_pool)["from_account"].unique().to_list()
    found = set(ahead)
    while ahead:
        to = ahead.pop()
        fed = {source for source, target in edges if target == to} - found
        found |= fed
        ahead += fed
    return found


def _received(
    evidence: Evidence, origin: str, period: date, journal: pl.DataFrame, out: pl.DataFrame, rules: Rules
) -> pl.DataFrame:
    ids = out.select("charge_group_id").unique()
    charges = days_of(evidence, ids).filter(billing_period=period).drop("billing_period")
    pools, steps, why = _split_again(evidence, origin, period, journal, charges, rules.pools)
    placed = out.join(charges.select("charge_group_id", *_SPAN), on="charge_group_id", how="left")
    both = _compared(placed, steps, charges)
    weighed = _weighed(both, steps, pools).with_columns(origin=pl.lit(origin), period=pl.lit(period))
    is_gone = ~pl.col("from_account").is_in([pool.account for pool in rules.pools])
    if why:
        return _without(_without(weighed, ~is_gone, why), is_gone, _GONE)
    told = _without(weighed, is_gone, _GONE)
    if origin in (POSTED, RESTATED) and _is_kept_up(evidence, origin, period, rules):
        return told
    is_off = pl.any_horizontal(pl.col(name) != 0 for name in OFF).any().over("from_account")
    return _without(told, is_off, _THEN).with_columns(
        basis=pl.when(pl.col("share_ratio").is_not_null()).then(pl.col("basis") + _TODAY).otherwise("basis")
    )


def _split_again(
    evidence: Evidence, origin: str, period: date, journal: pl.DataFrame, charges: pl.DataFrame, pools: list[Pool]
) -> tuple[list[Pool], list[PoolStep], str]:
    """The pools and the charges through them once more, or why today's configuration cannot split them."""
    try:
        for pool in pools:
            measure(pool, pools)
        return pools, _steps(evidence, origin, period, journal, charges, pools), ""
    except ValueError as error:  # a rule that was edited since: the journal stays, the weights are not to be had
        return [], [], f"weights are not known by the configuration of today: {error}"


def _is_kept_up(evidence: Evidence, origin: str, period: date, rules: Rules) -> bool:
    """Whether a journal must come out of today's tables and rules: nights make anew what a locked month would be."""
    if (origin == POSTED and period in evidence.locked) or rules.differ_from(evidence.configuration):
        return False
    return evidence.is_rebuilt(period)


def _without(weighed: pl.DataFrame, which: pl.Expr, why: str) -> pl.DataFrame:
    """Without weights that are not those by which the pool was split."""
    told = ("weight", "whole_weight", "share_ratio")
    return (
        weighed.with_columns(which.alias("_which"))
        .with_columns(
            *(pl.when(~pl.col("_which")).then(name).alias(name) for name in told),
            *(pl.when("_which").then(pl.lit(0, pl.Int128)).otherwise(name).alias(name) for name in OFF),
            basis=pl.when("_which").then(pl.lit(why)).otherwise("basis"),
        )
        .drop("_which")
    )


def _steps(
    evidence: Evidence,
    origin: str,
    period: date,
    journal: pl.DataFrame,
    charges: pl.DataFrame,
    pools: Sequence[Pool],
) -> list[PoolStep]:
    """The asked charges through the pools once more, by the code and the tables of the night."""
    # what went to a pool that was taken out of the configuration since is no pool's that is left
    is_left = ~pl.col("to_account").str.starts_with("pool:") | pl.col("to_account").is_in([p.account for p in pools])
    given = journal.filter(pl.col("step") == 2, is_left).join(charges.select("charge_group_id"), on="charge_group_id")
    wanted = "to_account like 'team:%' and step = 2"
    if origin == RESTATED:
        whole = evidence.stored("restated_postings", period, next_month(period)).filter(pl.col("step") == 2)
    else:
        whole = evidence.rows(f"select * from postings where billing_period = ? and {wanted}", [period])
    return pool_steps(
        _as_moves(given),
        charges,
        direct_costs(_as_moves(whole), whole.select("charge_group_id", "billing_currency").unique()),
        logged_once(input_of(evidence, "usage_by_team_daily", period)),
        pools,
        input_of(evidence, "pool_metrics", period),
    )


def _as_moves(postings: pl.DataFrame) -> pl.DataFrame:
    names = {"billed_units": "billed_cost", "effective_units": "effective_cost", "under_used_units": "under_used_cost"}
    return typed(postings.with_columns(units_of(cost).cast(pl.Int128).alias(units) for units, cost in names.items()))


def _compared(out: pl.DataFrame, steps: Sequence[PoolStep], charges: pl.DataFrame) -> pl.DataFrame:
    """What each received by the journal, and how far that is from what the weights come to."""
    of = ["charge_group_id", "from_account", *_WHO, "gpu_state", "cost_kind"]
    # the journal says of every move what was bought; the moves say it of some
    key = [*of[:-1], "cluster", "gpu_model_name", "model_id", "is_warm_standby"]
    booked = out.group_by(*key, *_SPAN, "billing_currency").agg(
        units_of(name).cast(pl.Int128).sum().alias(f"received_{name}") for name in AMOUNTS
    )
    split = pl.concat([step.moves for step in steps]) if steps else typed(pl.DataFrame({"charge_group_id": []}))
    there = split.filter(pl.col("from_account").is_in(out["from_account"].unique().implode()))
    again = (
        there.join(charges, on="charge_group_id")
        .group_by(*key, *_SPAN, "billing_currency")
        .agg(pl.col(f"{name.removesuffix('_cost')}_units").sum().alias(f"again_{name}") for name in AMOUNTS)
    )
    on = [*key, *_SPAN, "billing_currency"]
    both = booked.join(again, on=on, how="full", coalesce=True, nulls_equal=True).with_columns(
        pl.col(f"{kind}_{name}").fill_null(0) for kind in ("received", "again") for name in AMOUNTS
    )
    off = [(pl.col(f"received_{n}") - pl.col(f"again_{n}")).abs().sum().alias(f"off_{n}") for n in AMOUNTS]
    return both.group_by("from_account", *_WHO, *_SPAN, "billing_currency").agg(
        *(pl.col(name).sum() for name in RECEIVED), *off
    )


def _weighed(received: pl.DataFrame, steps: Sequence[PoolStep], pools: Sequence[Pool]) -> pl.DataFrame:
    key = ["from_account", *_SPAN, "billing_currency"]
    told = pl.DataFrame(
        [(pool.account, *measure(pool, pools)) for pool in pools],
        schema={"from_account": pl.String(), "basis": pl.String(), "factor": pl.Int128()},
        orient="row",
    )
    empty = {**{name: received.schema[name] for name in (*key, *_WHO)}, "units": pl.Int128()}
    shares = [
        step.shares.with_columns(from_account="pool:" + pl.col("pool_id"), units="weight").select(*key, *_WHO, "units")
        for step in steps
    ]
    known = pl.concat(shares) if shares else pl.DataFrame(schema=empty)
    weights = known.group_by(*key, *_WHO).agg(pl.col("units").sum()).with_columns(whole=pl.col("units").sum().over(key))
    joined = received.join(weights, on=[*key, *_WHO], how="left", nulls_equal=True).join(
        told, on="from_account", how="left"
    )
    shown = [
        pl.when(pl.col("whole") < 10**38 // pl.col("factor")).then(pl.col(n) * pl.col("factor"))
        for n in ("units", "whole")
    ]
    return joined.with_columns(
        weight=shown[0].cast(pl.Int128).reinterpret(dtype=MONEY),
        whole_weight=shown[1].cast(pl.Int128).reinterpret(dtype=MONEY),
        share_ratio=pl.col("units").cast(pl.Float64) / pl.col("whole").cast(pl.Float64),
        basis=pl.when(pl.col("units").is_null()).then(pl.lit(_NOBODY)).otherwise(pl.coalesce("basis", pl.lit(""))),
        **{name: money_of(name) for name in RECEIVED},
    ).select(*key, *_WHO, "basis", "weight", "whole_weight", "share_ratio", *RECEIVED, *OFF)


def receivers_that_differ(found: pl.DataFrame) -> Iterator[str]:
    """Receivers whose money is not, to the last unit, what the weights of their pool come to."""
    if OFF[0] not in found.columns:
        return
    differs = found.filter(pl.any_horizontal(pl.col(name) != 0 for name in OFF))
    for row in differs.head(5).iter_rows(named=True):
        for name in AMOUNTS:
            if off := row[f"off_{name}"]:
                yield (
                    f"{row['from_account']} gave {row['to_account']} {row[f'received_{name}']} of {name}, {off} units "
                    f"of the twelfth decimal from what its weight comes to: {_of(row)}"
                )
    if differs.height > 5:
        yield f"{differs.height - 5} more receivers of pools whose money is not what their weights come to"


def _of(row: Mapping[str, object]) -> str:
    return f"{row['weight']} of {row['whole_weight']} {row['basis']}, {row['first_day']} to {row['last_day']}"
