"""The daily cost of every own model, from GPU-hours, engines' counters and the gateways' log.

Here belongs: which GPU money is a model's, and which tokens it is set against. Here does not belong: how it is parted
(`models.self_hosting`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from models.allocation_frame import split_groups
from models.frames import conform, require, schema_of
from models.money import money_of, units_of
from models.pools import Pool
from models.self_hosting import Parted, Tokens, in_dollars, part, per_mtok, prompt_rates, unlogged_units
from models.usage_weights import whole_weights

_TABLE = "self_hosted_costs"
_POD_HOUR = ["hour_start", "cluster", "namespace", "pod"]
_MODEL_DAY = ["usage_date", "model_id"]
_MICRO = 1_000_000
_WORKING = ["effective", "under_used"]
SHARE_METHODS = ["whole", "measured_seconds", "tokens", "equal"]
"""By what a model's part of a pod's money is known, the surest first."""


Row = Mapping[str, Any]


def self_hosted_costs(
    *,
    gpu_costs: pl.DataFrame,
    serving: pl.DataFrame,
    logged: pl.DataFrame,
    usd_rates: Mapping[tuple[str, date], Decimal],
    pools: Sequence[Pool],
) -> pl.DataFrame:
    """What each own model cost on each day, in the shape of `self_hosted_costs`.

    Args:
        gpu_costs: frame in the shape of `gpu_costs_hourly`.
        serving: frame in the shape of `serving_hourly`, of the same days.
        logged: frame in the shape of `self_hosted_usage`.
        usd_rates: dollars for a unit of a currency, by currency and first day of the month.
        pools: shared deployments; what an account of a pool holds is its model's, unless a pod says otherwise.

    Raises ValueError when a frame does not keep its contract.
    """
    engines = require(serving, "serving_hourly")
    held = _held(require(gpu_costs, "gpu_costs_hourly"), engines, pools)
    serving = engines.filter(pl.col("model_id").is_not_null())
    counted = {(row["usage_date"], row["model_id"]): row for row in _counted(serving, held).to_dicts()}
    logs = {(row["usage_date"], row["model_id"]): row for row in require(logged, "self_hosted_usage").to_dicts()}
    weights = {pool.model_id: whole_weights(pool) for pool in pools}
    rows = [
        _row(money, counted.get(key), logs.get(key), weights.get(key[1]), usd_rates)
        for money in _money(held).sort(*_MODEL_DAY, "billing_currency").to_dicts()
        if (key := (money["usage_date"], money["model_id"]))
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row").with_columns(money_of(name).alias(name) for name in _MONEY)
    return conform(frame, _TABLE)


_MONEY = [
    *("effective_cost", "idle_cost", "warm_standby_cost", "unknown_cost"),
    *("prefill_cost", "cached_cost", "decode_cost", "unlogged_cost"),
]
_SCHEMA = {name: pl.Int128() if name in _MONEY else kind for name, kind in schema_of(_TABLE).items()}


def _held(costs: pl.DataFrame, serving: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    """GPU money in pico-units by hour, pod, state and model; `share` names by what a pod's money is the model's."""
    pooled = pl.DataFrame(
        [(f"pool:{pool.pool_id}", pool.model_id) for pool in pools],
        schema={"account": pl.String, "pool_model_id": pl.String},
        orient="row",
    )
    whole = costs.select(
        *_POD_HOUR, "usage_date", "account", "model_id", "billing_currency", "gpu_state", "is_warm_standby",
        "gpu_seconds", "observed_seconds", units=units_of("effective_cost"), share=pl.lit("whole"),
        is_working=pl.col("gpu_state").is_in(_WORKING)
        | ((pl.col("gpu_state") == "unknown") & (pl.col("metric_used") != "")),
    )  # fmt: skip
    rest = whole.filter(pl.col("model_id").is_null()).with_row_index("_row")
    several = _among_models(rest.drop("model_id", "share"), serving)
    left = rest.join(several.select("_row").unique(), on="_row", how="anti").join(pooled, on="account")
    parts = [
        whole.filter(pl.col("model_id").is_not_null()),
        several.select(whole.columns),
        left.with_columns(model_id="pool_model_id").select(whole.columns),
    ]
    return pl.concat(parts)


def _money(held: pl.DataFrame) -> pl.DataFrame:
    """GPU money and seconds by day, model and currency, in pico-units; the least sure way of its sharing."""
    is_idle = pl.col("gpu_state") == "allocated_idle"
    units = pl.col("units")
    return held.group_by(*_MODEL_DAY, "billing_currency").agg(
        pl.col("gpu_seconds", "observed_seconds").sum(),
        effective_cost=units.sum(),
        idle_cost=units.filter(is_idle & ~pl.col("is_warm_standby")).sum(),
        warm_standby_cost=units.filter(is_idle & pl.col("is_warm_standby")).sum(),
        unknown_cost=units.filter(pl.col("gpu_state") == "unknown").sum(),
        model_share_method=pl.col("share").cast(pl.Enum(SHARE_METHODS)).max().cast(pl.String),
    )


def _among_models(rest: pl.DataFrame, serving: pl.DataFrame) -> pl.DataFrame:
    """Pod hours of several models, parted by what is known of all of them: engines' seconds, else tokens, else equally.

    No model that has tokens costs nothing: where one of them has no seconds, seconds are not asked. A model that nobody
    has a name for takes its part, too, which is no other model's: it is left out after the money is parted.
    """
    computed = pl.col("prompt_tokens") - pl.col("cached_tokens").fill_null(0) + pl.col("generated_tokens")
    measured = ((pl.col("prefill_seconds") + pl.col("decode_seconds")) * _MICRO).cast(pl.Int64)
    is_named = pl.col("model_id").is_not_null()
    nameless = pl.when(~is_named).then("source_model").fill_null("").alias("_nameless")
    of_several = serving.filter(is_named.any().over(_POD_HOUR))
    by_model = of_several.group_by(*_POD_HOUR, "model_id", nameless).agg(
        seconds=_known_sum(measured), tokens=_known_sum(computed), most=computed.sum()
    )
    lacks_seconds = pl.col("seconds").is_null() | ((pl.col("seconds") == 0) & (pl.col("most") > 0))
    by_seconds = ~lacks_seconds.any().over(_POD_HOUR) & (pl.col("seconds").sum().over(_POD_HOUR) > 0)
    by_tokens = (pl.col("tokens").null_count().over(_POD_HOUR) == 0) & (pl.col("tokens").sum().over(_POD_HOUR) > 0)
    weighed = by_model.with_columns(
        _weight=pl.when(by_seconds).then("seconds").when(by_tokens).then("tokens").otherwise(1).cast(pl.Int128),
        share=pl.when(by_seconds).then(pl.lit("measured_seconds")).when(by_tokens).then(pl.lit("tokens"))
        .otherwise(pl.lit("equal")),
    ).select(
        *_POD_HOUR, "model_id", "share", "_weight", _tie=pl.concat_str(pl.col("model_id").fill_null(""), "_nameless")
    )  # fmt: skip
    # an engine that nobody named a pod of is no holder of what nobody held
    joined = rest.filter(pl.col("namespace") != "").join(weighed, on=_POD_HOUR)
    seconds = ["gpu_seconds", "observed_seconds"]
    wide = joined.with_columns(pl.col(seconds).cast(pl.Int128))
    parted = split_groups(wide, ["units", *seconds], group="_row", weight="_weight", tie="_tie")
    return parted.filter(is_named).with_columns(pl.col(seconds).cast(pl.Int64))


def _known_sum(amount: pl.Expr) -> pl.Expr:
    """The sum; NULL where a part is unknown."""
    return pl.when(amount.null_count() == 0).then(amount.sum())


def _counted(serving: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Engines' tokens and seconds by day and model; tokens are NULL where an hour has none.

    An hour without any counters of the model lacks them if GPUs worked in it for the model.
    """
    worked = held.filter("is_working").select(*_MODEL_DAY, "hour_start").unique()
    unseen = worked.join(serving, on=[*_MODEL_DAY, "hour_start"], how="anti").select(_MODEL_DAY).unique()
    names = ["prompt_tokens", "cached_tokens", "generated_tokens", "prefill_seconds", "decode_seconds"]
    by_day = serving.group_by(_MODEL_DAY).agg(
        *(_known_sum(pl.col(name)).alias(name) for name in names), counted_seconds=pl.col("covered_seconds").sum()
    )
    marked = by_day.join(unseen.with_columns(_unseen=True), on=_MODEL_DAY, how="left")
    return marked.with_columns(pl.when(pl.col("_unseen").is_null()).then(name).alias(name) for name in names)


def _row(
    held: Row,
    counted: Row | None,
    logged: Row | None,
    weights: Mapping[str, int] | None,
    usd_rates: Mapping[tuple[str, date], Decimal],
) -> dict[str, object]:
    log = _logged_tokens(logged)
    source, tokens = _tokens(counted, log)
    seconds = None
    if counted and counted["prefill_seconds"] is not None and counted["decode_seconds"] is not None:
        seconds = (counted["prefill_seconds"], counted["decode_seconds"])
    parted = part(held["effective_cost"], tokens, seconds, weights)
    currency, month = held["billing_currency"], held["usage_date"].replace(day=1)
    rate = Decimal(1) if currency == "USD" else usd_rates.get((currency, month))
    prompt, cached = prompt_rates(parted, tokens, log)
    rates = dict(_rates(held["effective_cost"], parted, tokens))
    return {
        **held,
        "method": parted.method,
        "token_source": source,
        "prompt_tokens": tokens.prompt_tokens,
        "cached_tokens": tokens.cached_tokens,
        "generated_tokens": tokens.generated_tokens,
        "prefill_cost": parted.prefill_units,
        "cached_cost": parted.cached_units,
        "decode_cost": parted.decode_units,
        **rates,
        "usd_rate": rate,
        "input_usd_per_token": in_dollars(prompt, rate),
        "cached_usd_per_token": in_dollars(cached, rate),
        "output_usd_per_token": in_dollars(rates["output_cost_per_mtok"], rate),
        "counted_seconds": counted["counted_seconds"] if counted else 0,
        "logged_tokens": log.prompt_tokens + log.generated_tokens,
        "unlogged_cost": unlogged_units(parted, tokens, log) if source == "engine" else None,
    }


def _logged_tokens(logged: Row | None) -> Tokens:
    if logged is None:
        return Tokens(0, 0, 0)
    uncached, cached = logged["input_uncached_tokens"], logged["cache_read_tokens"]
    return Tokens(uncached + cached, cached, logged["output_tokens"])


def _tokens(counted: Row | None, log: Tokens) -> tuple[str, Tokens]:
    """The engines' tokens where they count prompts and generation, and no less than the gateways saw; else theirs.

    Requests are priced by the log: at rates of fewer tokens they would cost more than the GPUs did.
    """
    if counted and counted["prompt_tokens"] is not None and counted["generated_tokens"] is not None:
        engine = Tokens(counted["prompt_tokens"], counted["cached_tokens"], counted["generated_tokens"])
        if engine.prompt_tokens >= log.prompt_tokens and engine.generated_tokens >= log.generated_tokens:
            return "engine", engine
    return "gateway_log", log


def _rates(units: int, parted: Parted, tokens: Tokens) -> Iterator[tuple[str, Decimal | None]]:
    yield "input_cost_per_mtok", per_mtok(parted.prefill_units, tokens.computed_tokens)
    yield "cached_cost_per_mtok", per_mtok(parted.cached_units, tokens.cached_tokens or 0)
    yield "output_cost_per_mtok", per_mtok(parted.decode_units, tokens.generated_tokens)
    yield "blended_cost_per_mtok", per_mtok(units, tokens.prompt_tokens + tokens.generated_tokens)
