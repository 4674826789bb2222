"""What the bill was split by: the logged use and the GPU time behind each move, with what part of its money each is.

A move out of the booked bill is as large as its weight is of all weights. Its use gets the same share of it, to the
last unit, so that the level sums to the figure like any other. A move by other rules is a row of its own.

Here belongs: joining moves to what they were weighed by. Here does not belong: the weights of pools (their rules say).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import polars as pl

from models.accounts import CHARGES, UNOWNED_USAGE
from models.gpu_weights import gpu_seconds, owned_states
from models.ledger import owned_charges
from models.money import SCALE, money_of, to_scaled, units_of
from models.parts import parts_of
from models.tokens import TOKEN_CLASSES, column_of
from models.usage_weights import CAPACITY_WEIGHTS, PROVISIONED
from pipelines.explain.evidence import Evidence
from pipelines.explain.inputs import input_of
from pipelines.explain.journal import AMOUNTS, POSTED
from pipelines.explain.pool_uses import TOLD, pool_uses

_ENTRY = ("entry", "origin", "period", "posting_id", "charge_group_id", "rule_id", "rule_kind", "to_account")
_KEPT = (*_ENTRY, "billing_currency", *AMOUNTS)
_SPLIT = tuple(f"split_{name}" for name in AMOUNTS)
_USE = (
    *("usage_date", "x_source", "provider_id", "model_id", "gateway_team_id", "key_id", "key_alias", "feature"),
    *("environment", "service_tier", "price_region_id"),
    *("owner_rule_id", "request_count", "unpriced_count", "priced_cost_usd"),
)
HELD = ["hostname", "namespace", "pod"]
"""Who held a GPU, and on which node."""
GPU = [*HELD, "gpu_uuid", "gpu_instance_id"]
OF_SHARE = [
    *("charge_group_id", "rule_id", "to_account", "cluster", "gpu_model_name", "gpu_state", "model_id"),
    "is_warm_standby",
]
"""What tells the shares of a charge apart."""
_UNITS_PER_MICROSECOND = 10 ** (SCALE - 6)
"""Weights have the scale of money: seconds with twelve decimals."""
WHOLE = "the move as a whole"
"""The basis of a move that no use is behind."""
GPU_TIME = "GPU seconds"
CAPACITY = "tokens of input (capacity)"
"""The basis of provisioned throughput: what requests took of it."""
_READERS = "priced_tokens:cache_readers"
_CLASS = "'priced_tokens:token_class', 'priced_tokens:token_class_of_any_tier'"
_OF_TIER = "'priced_tokens:token_class', 'priced_tokens:model'"
_PROVISIONED = "'priced_tokens:provisioned_model', 'priced_tokens:provisioned'"
_OF_PROVIDER = "'priced_tokens:provisioned', 'priced_tokens:provider'"
_MOST_SPLITS = 4
"""Times that a share may have been rounded: between use and what lay unused, accounts, features, states."""


def weights(evidence: Evidence, moves: pl.DataFrame, journal: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    """The use behind each move, with the part of its money.

    Args:
        evidence: the open snapshot.
        moves: entries of the journals.
        journal: every move of their charges.
        shared: what `receivers` gives: the weights of those who carry pools.

    Returns:
        `_KEPT` (the amounts are parts of the move's), `_SPLIT` (what was split), basis, weight and whole_weight (of all
        who share it), and what was used: the columns of `usage_by_team_daily`, or hostname, namespace, pod and seconds
        of `gpu_states_hourly`, by day.
    """
    numbered = _with_split(moves, journal).with_row_index("entry").with_columns(pl.col("entry").cast(pl.Int64))
    split = numbered.filter(pl.col("from_account") == CHARGES)
    found = [_logged(evidence, split.filter(rule_kind="priced_tokens"))]
    found += _held(evidence, split.filter(pl.col("gpu_state").is_not_null()))
    weighed = [_shared(numbered.select(*_KEPT, *_SPLIT), use) for use in found if use.height]
    done = pl.concat([rows.select("entry") for rows in weighed]) if weighed else numbered.select("entry").clear()
    others = numbered.join(done, on="entry", how="anti")
    pooled = pool_uses(evidence, others.drop(_SPLIT), journal, shared).select(*_KEPT, *_SPLIT, *TOLD)
    whole = others.join(pooled, on="entry", how="anti").select(*_KEPT, basis=pl.lit(WHOLE))
    weighed += [pooled] if pooled.height else []
    return pl.concat([*weighed, whole], how="diagonal_relaxed").sort("entry", maintain_order=True)


def _logged(evidence: Evidence, moves: pl.DataFrame) -> pl.DataFrame:
    """Logged use of the days of each charge: its tokens of the charge's class, or what it cost at the price book."""
    tokens = " ".join(f"when '{name}' then {_tokens(name)}" for name in TOKEN_CLASSES)
    capacity = " + ".join(f"{weight} * ({_tokens(name, alone=True)})" for name, weight in CAPACITY_WEIGHTS.items())
    weight = f"""case
        when a.rule_id in ({_CLASS}) then case g.token_class {tokens} end
        when a.rule_id = '{_READERS}' then {_tokens("cache_read")}
        when a.rule_id in ({_PROVISIONED}) then {capacity}
        else coalesce(u.priced_cost_usd, 0) - coalesce(u.duplicate_cost_usd, 0)
    end"""
    basis = f"""case
        when a.rule_id in ({_CLASS}) then g.token_class || ' tokens'
        when a.rule_id = '{_READERS}' then 'cache_read tokens'
        when a.rule_id in ({_PROVISIONED}) then '{CAPACITY}'
        else 'USD logged'
    end"""
    account = f"coalesce('team:' || u.team_id, '{UNOWNED_USAGE}')"
    return evidence.rows(
        f"""
        with used as (
            select
                a.entry,
                {basis} as basis,
                {account} = a.to_account and nullif(u.feature, '') is not distinct from a.feature as is_mine,
                cast({weight} as decimal(38, 12)) as weight,
                {", ".join(f"u.{name}" for name in _USE)},
                cast({" + ".join(f"u.{column_of(name)}" for name in TOKEN_CLASSES)} as bigint) as tokens
            from asked a
            join charge_groups g on a.charge_group_id = g.charge_group_id and a.period = g.billing_period
            join usage_by_team_daily u
                on u.usage_date between cast(g.charge_start as date)
                and greatest(cast(g.charge_start as date), cast(g.charge_end - interval 1 microsecond as date))
                and not u.is_self_hosted
                and u.provider_id = g.provider_id
                and (a.rule_id in ({_OF_PROVIDER}) or u.model_id = g.model_id)
                and (a.rule_id not in ({_OF_TIER}) or u.service_tier = coalesce(g.service_tier, u.service_tier))
                and (u.service_tier = '{PROVISIONED}') = (a.rule_id in ({_PROVISIONED}))
        ),
        whole as (select *, sum(weight) over (partition by entry) as whole_weight from used where weight > 0)
        select * exclude (is_mine) from whole where is_mine order by all
        """,
        asked=moves.select("entry", "charge_group_id", "period", "rule_id", "to_account", "feature"),
    )


def _tokens(name: str, *, alone: bool = False) -> str:
    """A class's tokens, less those that were logged again; providers bill reasoning as output."""
    classes = [name, "output_reasoning"] if name == "output_text" and not alone else [name]
    columns = [column_of(each) for each in classes]
    return " + ".join(f"u.{column} - coalesce(u.duplicate_{column}, 0)" for column in columns)


def _held(evidence: Evidence, moves: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """GPU time of the hours of each charge, by day and holder."""
    for (period,), asked in moves.group_by("period", maintain_order=True):
        by_day = (
            gpu_hours(evidence, period, asked)
            .with_columns(pl.col("hour_start").dt.date().alias("usage_date"))
            .group_by(*OF_SHARE, "usage_date", *HELD)
            .agg(pl.col("microseconds").sum(), pl.col("seconds").sum())
        )
        units = by_day.with_columns(weight=pl.col("microseconds").cast(pl.Int128) * _UNITS_PER_MICROSECOND)
        weighed = units.with_columns(weight=money_of("weight"), basis=pl.lit(GPU_TIME)).with_columns(
            whole_weight=pl.col("weight").sum().over("charge_group_id")
        )
        found = (
            asked.select("entry", *OF_SHARE).join(weighed, on=OF_SHARE, nulls_equal=True).filter(pl.col("weight") > 0)
        )
        yield found.drop("charge_group_id", "rule_id", "to_account", "microseconds").sort("entry", "usage_date", *HELD)


def gpu_hours(evidence: Evidence, period: object, asked: pl.DataFrame) -> pl.DataFrame:
    """GPU time of the hours of charges, by hour, GPU and holder: as `models.gpu_weights.gpu_seconds` tells it.

    Args:
        evidence: the open snapshot.
        period: billing period of the charges.
        asked: column charge_group_id.
    """
    ids = asked.select("charge_group_id").unique()
    groups = evidence.published("charge_groups", "t.charge_group_id in (select charge_group_id from ids)", ids=ids)
    hours = groups.group_by("resource_id").agg(pl.col("charge_start").min(), pl.col("charge_end").max())
    states = evidence.published(
        "gpu_states_hourly",
        "exists (select 1 from hours where hours.resource_id = t.resource_id "
        "and t.hour_start > hours.charge_start - interval 1 hour and t.hour_start < hours.charge_end)",
        hours=hours,
    )
    read = {name: input_of(evidence, name, period) for name in ("pod_models", "gpu_labels", "owners")}
    owned = owned_states(states, read["pod_models"], read["gpu_labels"], read["owners"])
    charges = owned_charges(groups, states, read["owners"]).filter(cost_kind="gpu")
    return gpu_seconds(charges, owned, GPU)


def _shared(moves: pl.DataFrame, use: pl.DataFrame) -> pl.DataFrame:
    """Each use with its part of the move's money: in proportion to its weight, to the last unit."""
    parts: dict[str, list[int]] = {name: [] for name in AMOUNTS}
    amounts: Mapping[int, tuple[int, ...]] = {
        row[0]: row[1:] for row in moves.select("entry", *(units_of(name) for name in AMOUNTS)).rows()
    }
    for (entry,), own in use.group_by("entry", maintain_order=True):
        for name, part in zip(AMOUNTS, amounts[int(str(entry))], strict=True):
            parts[name] += parts_of(own["weight"].to_physical().to_list(), part)
    split = use.with_columns(pl.Series(name, parts[name], pl.Int128) for name in AMOUNTS)
    costs = split.with_columns(money_of(name) for name in AMOUNTS)
    return moves.drop(AMOUNTS).join(costs, on="entry", how="inner", maintain_order="right")


def _with_split(moves: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """The moves with what was split: by use, all that the rule moved of the charge; by GPU time, the whole charge."""
    group = ["origin", "period", "charge_group_id"]
    split = journal.filter(pl.col("from_account") == CHARGES)
    by_rule = split.group_by(*group, "rule_id").agg(pl.col(name).sum().alias(f"rule_{name}") for name in AMOUNTS)
    whole = split.group_by(group).agg(pl.col(name).sum().alias(f"whole_{name}") for name in AMOUNTS)
    both = moves.join(by_rule, on=[*group, "rule_id"], how="left", maintain_order="left").join(
        whole, on=group, how="left", maintain_order="left"
    )
    is_gpu = pl.col("gpu_state").is_not_null()
    return both.with_columns(
        pl.when(is_gpu).then(f"whole_{name}").otherwise(f"rule_{name}").alias(f"split_{name}") for name in AMOUNTS
    )


def weights_that_differ(evidence: Evidence, found: pl.DataFrame) -> Iterator[str]:
    """Moves that are not the share of what was split that their weights are of all.

    Of open months that nights still rebuild: a late log changes the days of an older month, and not its journal.
    """
    if "weight" not in found.columns:
        return
    periods = set(found["period"].drop_nulls().to_list()) - evidence.locked
    asked = sorted(period for period in periods if evidence.is_rebuilt(period))
    kept = found.filter(pl.col("period").is_in(asked), pl.col("weight").is_not_null(), origin=POSTED)
    if "share_ratio" in kept.columns:  # of a pool: `receivers_that_differ` asks
        kept = kept.filter(pl.col("share_ratio").is_null())
    sums = kept.group_by(*_ENTRY, *_SPLIT, "whole_weight").agg(pl.col(name).sum() for name in ("weight", *AMOUNTS))
    for move in sums.iter_rows(named=True):
        of_all, weight = _units(move["whole_weight"]), _units(move["weight"])
        for name in AMOUNTS:
            part, whole = move[name], move[f"split_{name}"]
            if abs(_units(part) * of_all - _units(whole) * weight) >= _MOST_SPLITS * of_all:
                yield (
                    f"{move['rule_id']} gave {move['to_account']} {part} of the {whole} of charge "
                    f"{move['charge_group_id']}: its weight is {move['weight']} of {move['whole_weight']}"
                )


def _units(amount: Decimal) -> int:
    return to_scaled(amount, digits=38, scale=SCALE)
