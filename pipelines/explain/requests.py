"""The logged requests behind what a bill was split by, each with its tokens, the prices that applied, and its part.

Of an attempt that was logged again its copy is there, too: what it weighs is told with the first. Where a use has more
requests than are listed, the smaller ones are one line of their sum, which has their part: nothing is left out.

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
from pipelines.night.build import views_below
from pipelines.night.stale import input_range, stored_inputs

MOST = 100_000
"""Requests that are listed one by one, the most expensive ones: as many as a spreadsheet and a terminal bear."""
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
_MONEY = "decimal(38,12)"
_KEPT = ("entry", "origin", "period", "posting_id", "charge_group_id", "rule_id", "to_account", "billing_currency")
_TOKENS = tuple(column_of(each) for each in TOKEN_CLASSES)
_BOUGHT = ("bought_cost_usd", *(f"bought_{name}" for name in _TOKENS))
"""What a request weighs by: what the gateway's own cache answered was not bought."""
_SUMMED = ("request_count", *_TOKENS, "request_cost_usd", *_BOUGHT)


def requests(evidence: Evidence, used: pl.DataFrame, most: int = MOST) -> pl.DataFrame:
    """The log's rows behind rows of the level of weights, with the part of each.

    Args:
        evidence: the open snapshot.
        used: the rows of that level; those that no log is behind are kept as they are.
        most: how many requests are listed; of the others each use has one line, whose `note` says how many it is.

    Returns:
        Columns of `_KEPT`, effective_cost and billed_cost (the part), request_count (1, or of the others together),
        note, and of the request: `_SAME`, `_TOLD`, its tokens by class, the price of each, request_cost_usd.
    """
    numbered = used.with_row_index("use").with_columns(pl.col("use").cast(pl.Int64))
    logged = numbered.filter(pl.col("key_id").is_not_null()) if "key_id" in used.columns else numbered.clear()
    if logged.is_empty():
        return used
    shared = pl.concat(
        [_shared_of_day(evidence, day, logged.filter(usage_date=day), own) for day, own in _of_each_day(logged, most)]
    )
    rest = numbered.join(shared.select("use").unique(), on="use", how="anti")
    columns = [*_KEPT, *AMOUNTS, *_SAME, *_TOLD, *_priced(), "request_cost_usd", "request_count", "note"]
    return pl.concat([shared.select(columns), rest.drop("use", "request_count")], how="diagonal_relaxed").sort(
        "entry", maintain_order=True
    )


def _priced() -> list[str]:
    return [name for each in TOKEN_CLASSES for name in (column_of(each), f"{each}_usd_per_token")]


def _of_each_day(logged: pl.DataFrame, most: int) -> list[tuple[date, int]]:
    """How many requests of each day are listed: all where there are no more than `most`, else by how many it has."""
    uses = logged.unique(_SAME)
    days = uses.group_by("usage_date").agg(pl.col("request_count").sum()).sort("usage_date").rows()
    total = max(sum(count for _, count in days), 1)
    return [(day, max(most * count // total, 1)) for day, count in days]


def _shared_of_day(evidence: Evidence, day: date, logged: pl.DataFrame, most: int) -> pl.DataFrame:
    """A day's requests with their parts; day by day, so that no more of a log is priced at once than a night does."""
    asked = logged.select(_SAME).unique()
    with TemporaryDirectory(prefix="farthing-explain-") as folder:
        engine = DuckDBEngine(MEMORY, folder)
        try:
            _register(evidence, engine, day)
            rows = frame_of(engine.query(_largest(asked, most)))
            if rows.height == most:  # there may be more
                rows = pl.concat([rows, _others(rows, frame_of(engine.query(_sums(asked))))], how="diagonal_relaxed")
        finally:
            engine.close()
    found = logged.drop("request_count").join(
        rows, on=list(_SAME), how="inner", nulls_equal=True, maintain_order="left_right"
    )
    return _shared(logged, found.with_columns(weight=_weight()))


def _logged(asked: pl.DataFrame) -> str:
    """The day's requests of the uses that are asked about, with their prices."""
    named = ", ".join(f"{expression} as {name}" for name, expression in _NAMED.items())
    told = ", ".join(f"r.{name}" for name in ("usage_date", "x_source", "service_tier", "price_region_id", *_TOLD))
    prices = ", ".join(f"r.{column_of(each)}, b.{each}_usd_per_token" for each in TOKEN_CLASSES)
    bought = ", ".join(f"case when r.is_cache_hit then 0 else coalesce(r.{n}, 0) end as bought_{n}" for n in _TOKENS)
    same = " and ".join(f"l.{name} is not distinct from a.{name}" for name in _SAME)
    uses = ", ".join(f"({', '.join(map(_literal, row))})" for row in asked.rows())
    return f"""
        with asked ({", ".join(_SAME)}) as (values {uses}),
        named as (
            select
                {told}, {named}, {prices}, {bought}, cast(1 as bigint) as request_count,
                cast(null as varchar) as note,
                cast(r.priced_cost_usd as {_MONEY}) as request_cost_usd,
                cast(
                    case when r.is_cache_hit then 0 else coalesce(r.priced_cost_usd, 0) end as {_MONEY}
                ) as bought_cost_usd
            from priced_requests r
            left join price_book b
                on r.provider_id = b.provider_id and r.model_id = b.model_id
                and r.service_tier = b.service_tier and r.price_region_id = b.region_id
                and r.price_input_tokens_from = b.input_tokens_from
                and r.started_at >= b.valid_from and r.started_at < b.valid_to
            where r.usage_date = date '{asked["usage_date"][0]}' and not r.is_self_hosted
        ),
        logged as (select l.* from named l semi join asked a on {same})
    """


def _literal(value: object) -> str:
    if isinstance(value, date):
        return f"date '{value}'"
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def _largest(asked: pl.DataFrame, most: int) -> str:
    """The most expensive ones, in the order of the log."""
    order = f"request_cost_usd desc nulls last, {_ALL} desc, x_source, x_page, x_row"
    top = f"select * from logged order by {order} limit {most}"
    return f"{_logged(asked)} select * from ({top}) order by x_source, x_page, x_row"


_ALL = " + ".join(f"bought_{name}" for name in _TOKENS)


def _sums(asked: pl.DataFrame) -> str:
    sums = ", ".join(f"cast(sum({name}) as bigint) as {name}" for name in _SUMMED if not name.endswith("_usd"))
    costs = ", ".join(f"sum({name}) as {name}" for name in _SUMMED if name.endswith("_usd"))
    same = ", ".join(_SAME)
    return f"{_logged(asked)} select {same}, {sums}, {costs} from logged group by {same} order by {same}"


def _others(listed: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """What is not listed of each use: all of it less what is, in one row."""
    mine = listed.group_by(_SAME).agg(pl.col(name).sum().alias(f"_{name}") for name in _SUMMED)
    both = whole.join(mine, on=list(_SAME), how="left", nulls_equal=True)
    less = [
        pl.when(pl.col(name).is_not_null()).then(pl.col(name) - pl.col(f"_{name}").fill_null(0)).alias(name)
        for name in _SUMMED
    ]
    rest = both.with_columns(less).filter(pl.col("request_count") > 0)
    count = pl.col("request_count").cast(pl.String)
    note = pl.concat_str(count, pl.lit(" requests of smaller cost, together"))
    return rest.select(*_SAME, *_SUMMED, note=note, is_cache_hit=pl.lit(value=False))


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
    weight = pl.col("bought_cost_usd").cast(pl.Decimal(38, 12)).to_physical()
    for name in TOKEN_CLASSES:
        tokens = pl.col(f"bought_{column_of(name)}")
        if name == "output_text":
            tokens = tokens + pl.col(f"bought_{column_of('output_reasoning')}")
        weight = pl.when(pl.col("basis") == f"{name} tokens").then(tokens.cast(pl.Int128)).otherwise(weight)
    taken = [pl.col(f"bought_{column_of(name)}").cast(pl.Int128) * share for name, share in CAPACITY_WEIGHTS.items()]
    return pl.when(pl.col("basis") == CAPACITY).then(pl.sum_horizontal(taken)).otherwise(weight)


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
        found.filter(pl.col("request_count").is_not_null())
        .group_by("entry", *_SAME)
        .agg(
            found_count=pl.col("request_count").sum(),
            found_cost=pl.col("request_cost_usd").cast(pl.Decimal(38, 12)).sum(),
        )
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
