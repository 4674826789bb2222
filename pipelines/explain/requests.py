"""The logged requests behind what a bill was split by, each with its tokens, the prices that applied, and its part.

Of an attempt that was logged again its copy is there, too: what it weighs is told with the first.

Here belongs: reading the log as it was when the snapshot was made. Here does not belong: pricing it (the views do).
"""

from collections.abc import Iterator
from datetime import date
from tempfile import TemporaryDirectory

import polars as pl

from contracts import contract
from models.frames import frame_of
from models.money import money_of, units_of
from models.parts import parts_of
from models.tokens import TOKEN_CLASSES, column_of
from models.usage_weights import CAPACITY_WEIGHTS
from pipelines.engines import Engine
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.explain.evidence import Evidence
from pipelines.explain.journal import AMOUNTS
from pipelines.explain.weights import CAPACITY
from pipelines.lake import LakeError
from pipelines.night.build import views_below
from pipelines.night.stale import input_range, stored_inputs

MOST = 2_000_000
"""Requests that are read at once: about as many as fit a terminal's patience and this machine's memory."""
MEMORY = "4GB"
_OUTPUT = "usage_sums"  # the table that reads the priced log
_NAMED = {
    "provider_id": "coalesce(r.provider_id, 'unknown')",
    "model_id": "coalesce(r.model_id, r.billed_model, 'unknown')",
    "gateway_team_id": "coalesce(r.gateway_team_id, '')",
    "key_id": "coalesce(r.key_id, '')",
    "key_alias": "coalesce(r.key_alias, '')",
    "feature": "coalesce(r.feature, '')",
    "environment": "coalesce(r.environment, '')",
}
"""What usage calls a request by, of a request."""
_SAME = ("usage_date", "x_source", *_NAMED, "service_tier", "price_region_id")
_TOLD = (
    *("started_at", "request_id", "attempt_group_id", "status", "is_cache_hit", "pricing_status", "price_from"),
    *("x_page", "x_row"),
)
_KEPT = ("entry", "origin", "period", "posting_id", "charge_group_id", "rule_id", "to_account", "billing_currency")


def requests(evidence: Evidence, used: pl.DataFrame) -> pl.DataFrame:
    """The log's rows behind rows of the level of weights, with the part of each.

    Args:
        evidence: the open snapshot.
        used: the rows of that level; those that no log is behind are kept as they are.

    Returns:
        Columns of `_KEPT`, effective_cost and billed_cost (the part), and of the request: `_SAME`, `_TOLD`, its tokens
        by class, the price of each, request_cost_usd.

    Raises:
        LakeError: there are more than `MOST` of them.
    """
    numbered = used.with_row_index("use").with_columns(pl.col("use").cast(pl.Int64))
    logged = numbered.filter(pl.col("key_id").is_not_null()) if "key_id" in used.columns else numbered.clear()
    if logged.is_empty():
        return used
    days = logged.group_by("usage_date").agg(pl.col("request_count").sum()).sort("usage_date")
    if (count := int(days["request_count"].sum())) > MOST:
        raise LakeError(f"{count:,} logged requests are behind it: ask for a day or a line (--where day=2026-10-03)")
    rows = pl.concat(list(_of_days(evidence, days["usage_date"].to_list())))
    found = logged.join(rows, on=list(_SAME), how="inner", nulls_equal=True, maintain_order="left")
    shared = _shared(logged, found.with_columns(weight=_weight()))
    rest = numbered.join(shared.select("use").unique(), on="use", how="anti")
    columns = [*_KEPT, *AMOUNTS, *_SAME, *_TOLD, *_priced(), "request_cost_usd"]
    return pl.concat([shared.select(columns), rest.drop("use")], how="diagonal_relaxed").sort(
        "entry", maintain_order=True
    )


def _priced() -> list[str]:
    return [name for each in TOKEN_CLASSES for name in (column_of(each), f"{each}_usd_per_token")]


def _of_days(evidence: Evidence, days: list[date]) -> Iterator[pl.DataFrame]:
    """Day by day, so that no more of a log is priced at once than a night does."""
    named = ", ".join(f"{expression} as {name}" for name, expression in _NAMED.items())
    told = ", ".join(f"r.{name}" for name in ("usage_date", "x_source", "service_tier", "price_region_id", *_TOLD))
    prices = ", ".join(f"r.{column_of(each)}, b.{each}_usd_per_token" for each in TOKEN_CLASSES)
    for day in days:
        with TemporaryDirectory(prefix="farthing-explain-") as folder:
            engine = DuckDBEngine(MEMORY, folder)
            try:
                _register(evidence, engine, day)
                found = engine.query(
                    f"""
                    select {told}, {named}, {prices}, r.priced_cost_usd as request_cost_usd
                    from priced_requests r
                    left join price_book b
                        on r.provider_id = b.provider_id and r.model_id = b.model_id
                        and r.service_tier = b.service_tier and r.price_region_id = b.region_id
                        and r.price_input_tokens_from = b.input_tokens_from
                        and r.started_at >= b.valid_from and r.started_at < b.valid_to
                    where r.usage_date = date '{day}' and not r.is_self_hosted
                    order by r.x_source, r.x_page, r.x_row
                    """
                )
            finally:
                engine.close()
        yield frame_of(found)


def _register(evidence: Evidence, engine: Engine, day: date) -> None:
    """What the priced log of a day is made from, as the snapshot was made from it."""
    output = contract(_OUTPUT)
    for table in stored_inputs(output):
        bounds = (None, None) if table.slice == "none" else input_range(output, table, day)
        version = evidence.versions.get(table.table)
        empty = table.arrow_schema().empty_table()
        engine.register(
            table.table, empty if version is None else evidence.lake.dataset_at(table.table, version, *bounds)
        )
    for view in views_below(output):
        engine.build(view)


def _weight() -> pl.Expr:
    """What a request weighs: its tokens of the class that the bill names, or what it cost."""
    weight = pl.col("request_cost_usd").fill_null(0).cast(pl.Decimal(38, 12)).to_physical()
    for name in TOKEN_CLASSES:
        tokens = pl.col(column_of(name)).fill_null(0)
        if name == "output_text":
            tokens = tokens + pl.col(column_of("output_reasoning")).fill_null(0)
        weight = pl.when(pl.col("basis") == f"{name} tokens").then(tokens.cast(pl.Int128)).otherwise(weight)
    taken = [pl.col(column_of(name)).fill_null(0).cast(pl.Int128) * share for name, share in CAPACITY_WEIGHTS.items()]
    weight = pl.when(pl.col("basis") == CAPACITY).then(pl.sum_horizontal(taken)).otherwise(weight)
    # what the gateway's own cache answered was not bought
    return pl.when("is_cache_hit").then(0).otherwise(weight)


def _shared(logged: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Each request with its part of its use's money, to the last unit."""
    amounts = {row[0]: row[1:] for row in logged.select("use", *(units_of(name) for name in AMOUNTS)).rows()}
    parts: dict[str, list[int]] = {name: [] for name in AMOUNTS}
    for (use,), own in found.group_by("use", maintain_order=True):
        for name, part in zip(AMOUNTS, amounts[int(str(use))], strict=True):
            parts[name] += parts_of(own["weight"].to_list(), part)
    split = found.with_columns(pl.Series(name, parts[name], pl.Int128) for name in AMOUNTS)
    return split.with_columns(money_of(name) for name in AMOUNTS)


def requests_that_differ(used: pl.DataFrame, found: pl.DataFrame) -> Iterator[str]:
    """Use whose requests are not as many, or do not cost, what it says."""
    if "request_cost_usd" not in found.columns:
        return
    logged = used.filter(pl.col("key_id").is_not_null())
    sums = (
        found.filter(pl.col("started_at").is_not_null())
        .group_by("entry", *_SAME)
        .agg(found_count=pl.len(), found_cost=pl.col("request_cost_usd").cast(pl.Decimal(38, 12)).sum())
    )
    both = logged.join(sums, on=["entry", *_SAME], how="left", nulls_equal=True)
    differs = both.filter(
        (pl.col("found_count").fill_null(0) != pl.col("request_count"))
        | (pl.col("found_cost").fill_null(0) != pl.col("priced_cost_usd").fill_null(0))
    )
    for row in differs.head(5).iter_rows(named=True):
        key, cost = row["key_alias"] or row["key_id"], row["priced_cost_usd"]
        yield (
            f"key {key} on {row['usage_date']}: {row['request_count']} requests that cost {cost} were counted, "
            f"the log has {row['found_count']} that cost {row['found_cost']}"
        )
