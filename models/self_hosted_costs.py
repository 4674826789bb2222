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
from models.self_hosting import Parted, Tokens, in_dollars, part, per_mtok
from models.usage_weights import Pool, whole_weights

_TABLE = "self_hosted_costs"
_POD_HOUR = ["hour_start", "cluster", "namespace", "pod"]
_MODEL_DAY = ["usage_date", "model_id"]
_MICRO = 1_000_000
ZERO = Decimal(0)

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
    serving = require(serving, "serving_hourly").filter(pl.col("model_id").is_not_null())
    money = _money(require(gpu_costs, "gpu_costs_hourly"), serving, pools)
    counted = {(row["usage_date"], row["model_id"]): row for row in _counted(serving).to_dicts()}
    logs = {(row["usage_date"], row["model_id"]): row for row in require(logged, "self_hosted_usage").to_dicts()}
    weights = {pool.model_id: whole_weights(pool) for pool in pools}
    rows = [
        _row(held, counted.get(key), logs.get(key), weights.get(key[1]), usd_rates)
        for held in money.sort(*_MODEL_DAY, "billing_currency").to_dicts()
        if (key := (held["usage_date"], held["model_id"]))
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row").with_columns(money_of(name).alias(name) for name in _MONEY)
    return conform(frame, _TABLE)


_MONEY = [
    *("effective_cost", "idle_cost", "warm_standby_cost", "unknown_cost"),
    *("prefill_cost", "cached_cost", "decode_cost"),
]
_SCHEMA = {name: pl.Int128() if name in _MONEY else kind for name, kind in schema_of(_TABLE).items()}


def _money(costs: pl.DataFrame, serving: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    """GPU money and seconds by day, model and currency, in pico-units."""
    pooled = pl.DataFrame(
        [(f"pool:{pool.pool_id}", pool.model_id) for pool in pools],
        schema={"account": pl.String, "pool_model_id": pl.String},
        orient="row",
    )
    whole = costs.select(
        *_POD_HOUR, "usage_date", "account", "model_id", "billing_currency", "gpu_state", "is_warm_standby",
        "gpu_seconds", units=units_of("effective_cost"),
    )  # fmt: skip
    one = whole.filter(pl.col("model_id").is_not_null())
    rest = whole.filter(pl.col("model_id").is_null()).with_row_index("_row")
    several = _among_models(rest, serving)
    left = rest.join(several.select("_row").unique(), on="_row", how="anti").join(pooled, on="account")
    parts = [
        one,
        several.select(one.columns),
        left.with_columns(model_id="pool_model_id").select(one.columns),
    ]
    is_idle = pl.col("gpu_state") == "allocated_idle"
    units = pl.col("units")
    return (
        pl.concat(parts)
        .group_by(*_MODEL_DAY, "billing_currency")
        .agg(
            pl.col("gpu_seconds").sum(),
            effective_cost=units.sum(),
            idle_cost=units.filter(is_idle & ~pl.col("is_warm_standby")).sum(),
            warm_standby_cost=units.filter(is_idle & pl.col("is_warm_standby")).sum(),
            unknown_cost=units.filter(pl.col("gpu_state") == "unknown").sum(),
        )
    )


def _among_models(rest: pl.DataFrame, serving: pl.DataFrame) -> pl.DataFrame:
    """Pod hours of several models, parted by their engines' seconds, else by generated tokens, else equally."""
    measured = (pl.col("prefill_seconds") + pl.col("decode_seconds")) * _MICRO
    by_model = serving.group_by(*_POD_HOUR, "model_id").agg(
        seconds=measured.sum().cast(pl.Int64), tokens=pl.col("generated_tokens").sum()
    )
    weight = (
        pl.when(pl.col("seconds").sum().over(_POD_HOUR) > 0)
        .then("seconds")
        .when(pl.col("tokens").sum().over(_POD_HOUR) > 0)
        .then("tokens")
        .otherwise(1)
    )
    weighed = by_model.with_columns(_weight=weight.cast(pl.Int128)).select(*_POD_HOUR, "model_id", "_weight")
    joined = rest.drop("model_id").join(weighed, on=_POD_HOUR)
    with_seconds = joined.with_columns(pl.col("gpu_seconds").cast(pl.Int128))
    parted = split_groups(with_seconds, ["units", "gpu_seconds"], group="_row", weight="_weight", tie="model_id")
    return parted.with_columns(pl.col("gpu_seconds").cast(pl.Int64))


def _counted(serving: pl.DataFrame) -> pl.DataFrame:
    """Engines' tokens and seconds by day and model; NULL where an hour has none."""
    names = ["prompt_tokens", "cached_tokens", "generated_tokens", "prefill_seconds", "decode_seconds"]
    known = [pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in names]
    return serving.group_by(_MODEL_DAY).agg(*known, counted_seconds=pl.col("covered_seconds").sum())


def _row(
    held: Row,
    counted: Row | None,
    logged: Row | None,
    weights: Mapping[str, int] | None,
    usd_rates: Mapping[tuple[str, date], Decimal],
) -> dict[str, object]:
    source, tokens = _tokens(counted, logged)
    seconds = None
    if counted and counted["prefill_seconds"] is not None and counted["decode_seconds"] is not None:
        seconds = (counted["prefill_seconds"], counted["decode_seconds"])
    parted = part(held["effective_cost"], tokens, seconds, weights)
    currency, month = held["billing_currency"], held["usage_date"].replace(day=1)
    rate = Decimal(1) if currency == "USD" else usd_rates.get((currency, month))
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
        "input_usd_per_token": in_dollars(rates["input_cost_per_mtok"], rate),
        "cached_usd_per_token": in_dollars(rates["cached_cost_per_mtok"] if parted.cached_units else ZERO, rate),
        "output_usd_per_token": in_dollars(rates["output_cost_per_mtok"], rate),
        "counted_seconds": counted["counted_seconds"] if counted else 0,
        "logged_tokens": sum(logged[name] for name in _LOGGED) if logged else 0,
    }


_LOGGED = ("input_uncached_tokens", "cache_read_tokens", "output_tokens")


def _tokens(counted: Row | None, logged: Row | None) -> tuple[str, Tokens]:
    """The engines' tokens where they count prompts and generation, else the gateways'."""
    if counted and counted["prompt_tokens"] is not None and counted["generated_tokens"] is not None:
        return "engine", Tokens(counted["prompt_tokens"], counted["cached_tokens"], counted["generated_tokens"])
    if logged is None:
        return "gateway_log", Tokens(0, 0, 0)
    uncached, cached, generated = (logged[name] for name in _LOGGED)
    return "gateway_log", Tokens(uncached + cached, cached, generated)


def _rates(units: int, parted: Parted, tokens: Tokens) -> Iterator[tuple[str, Decimal | None]]:
    yield "input_cost_per_mtok", per_mtok(parted.prefill_units, tokens.computed_tokens)
    yield "cached_cost_per_mtok", per_mtok(parted.cached_units, tokens.cached_tokens or 0)
    yield "output_cost_per_mtok", per_mtok(parted.decode_units, tokens.generated_tokens)
    yield "blended_cost_per_mtok", per_mtok(units, tokens.prompt_tokens + tokens.generated_tokens)
