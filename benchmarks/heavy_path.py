"""The heavy path, raw token log to `usage_daily` and on to the reconciliation, against one query written by hand.

`python -m benchmarks.heavy_path --rows 10000000` makes the log, runs each side in a fresh process over the same
files, compares the results row by row, and writes the table in `results.md` beside this file. The query by hand is
the aggregate that `usage_daily` is, for these files; the longest side prices, finds owners and defects, and reconciles
with a bill of the same tokens.
"""

import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.sides import in_fresh_processes, main_over_requests, write_section
from benchmarks.token_log import CLASSES, FIRST_DAY, owners, write_log
from contracts import contract
from models.frames import frame_of, schema_of
from models.reconciliation import reconcile
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.house import shared_memory
from pipelines.night.ahead import AT_ONCE, computed
from pipelines.night.build import ROWS_AT_ONCE

HERE = Path(__file__).parent
MEMORY_LIMIT = "3GiB"
GIVEN = ("gateway_requests", "model_identity", "prices", "self_hosted_costs", "provider_usage")
WRITTEN = ("usage_daily", "usage_by_team_daily", "request_defects", "tag_overlaps", "usage_hourly")
KEPT = ("usage_daily", "usage_hourly")
MOST_TIMES_SLOWER = 3
MOST_GIB = 4


def build(engine: DuckDBEngine, names: Iterable[str], given: Iterable[str]) -> None:
    """Builds the tables and first what they read, each once."""
    built = set(given)
    waiting = list(names)
    while waiting:
        missing = [name for name in contract(waiting[-1]).depends_on if name not in built]
        if missing:
            waiting += missing
            continue
        name = waiting.pop()
        if name not in built:
            engine.build(contract(name))
            built.add(name)


def through_the_engine(folder: Path, spill: str) -> None:
    """The house's own way: the engine, the prices as they are kept, the SQL of three tables."""
    engine = open_engine(folder, sorted((folder / "gateway_requests").iterdir()), spill)
    build(engine, ["usage_daily"], GIVEN)
    pq.write_table(engine.read("usage_daily"), folder / "engine.parquet")
    engine.close()


def by_hand(folder: Path, spill: str) -> None:
    """The yardstick: one query over the files, the price book ready beforehand."""
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": spill})
    connection.execute("set preserve_insertion_order = false")
    query = (HERE / "by_hand.sql").read_text("utf-8")
    for name in ("model_identity", "price_book"):
        query = query.replace(f"${name}", f"'{folder / name}.parquet'")
    query = query.replace("$log", f"'{folder}/gateway_requests/*.parquet'")
    pq.write_table(connection.sql(query).to_arrow_table(), folder / "hand.parquet")
    connection.close()


def reconciled(folder: Path, spill: str) -> None:
    """All that the log goes through: prices, owners, defects, hours, and the reconciliation with a bill.

    Days are built together and side by side as a night builds them, and every table is written.
    """
    pieces: dict[str, list[pa.Table]] = defaultdict(list)
    book = contract("price_book").arrow_schema().empty_table()
    together = list(batches_of(sorted((folder / "gateway_requests").iterdir())))
    ends = pa.concat_tables(computed(partial(_day_ends, files, spill) for files in together))
    for number, tables in enumerate(computed(partial(_tables_of, folder, files, ends, spill) for files in together)):
        for name in WRITTEN:
            pq.write_table(tables[name], folder / f"{name}-{number}.parquet")
            if name in KEPT:
                pieces[name].append(tables[name])
        book = tables["price_book"]
    pq.write_table(pa.concat_tables(pieces["usage_daily"]), folder / "reconciled.parquet")
    hours = frame_of(pa.concat_tables(pieces["usage_hourly"]))
    nothing = frame_of(contract("provider_usage").arrow_schema().empty_table())
    found = reconcile(FIRST_DAY, bill_of(hours), hours, nothing, frame_of(book), {}, {})
    found.causes.write_parquet(folder / "causes.parquet")


def _tables_of(folder: Path, files: Iterable[Path], ends: pa.Table, spill: str) -> dict[str, pa.Table]:
    """What is made of some days, which are compared with the end of the day before each."""
    engine = open_engine(folder, files, spill, shared_memory(MEMORY_LIMIT, AT_ONCE))
    engine.register("owners", owners())
    engine.register("day_ends", ends)
    names = [*WRITTEN, "price_book"]
    build(engine, names, [*GIVEN, "owners", "day_ends"])
    tables = {name: engine.read(name) for name in names}
    engine.close()
    return tables


def batches_of(files: Iterable[Path]) -> Iterator[list[Path]]:
    """Days that a night builds together, by the same bound."""
    together: list[Path] = []
    rows = 0
    for file in files:
        count = pq.read_metadata(file).num_rows
        if together and rows + count > ROWS_AT_ONCE:
            yield together
            together, rows = [], 0
        together.append(file)
        rows += count
    yield together


def open_engine(folder: Path, files: Iterable[Path], spill: str, memory: str = MEMORY_LIMIT) -> DuckDBEngine:
    """An engine with these days of the log, and with what they are priced by."""
    engine = DuckDBEngine(memory, spill)
    engine.register("gateway_requests", [str(path) for path in files])
    for name in ("model_identity", "prices"):
        engine.register(name, [str(folder / f"{name}.parquet")])
    for name in ("self_hosted_costs", "provider_usage"):
        engine.register(name, contract(name).arrow_schema().empty_table())
    return engine


def _day_ends(files: Iterable[Path], spill: str) -> pa.Table:
    engine = DuckDBEngine(shared_memory(MEMORY_LIMIT, AT_ONCE), spill)
    engine.register("gateway_requests", [str(path) for path in files])
    build(engine, ["day_ends"], GIVEN)
    found = engine.read("day_ends")
    engine.close()
    return found


def bill_of(hours: pl.DataFrame) -> pl.DataFrame:
    """A bill for the logged tokens at the log's own prices, duplicates left out: what is left to find are those."""
    rows: dict[tuple[object, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in hours.filter(pl.col("model_id") != "unknown").iter_rows(named=True):
        for name in CLASSES:
            price = row[f"{name}_usd_per_token"]
            tokens = row[f"{name}_tokens"] - row[f"duplicate_{name}_tokens"]
            if price is not None and tokens:
                cell = rows[row["usage_date"], row["provider_id"], row["model_id"], name]
                cell[0] += tokens
                cell[1] += tokens * price
    given = [
        dict.fromkeys(schema_of("charge_groups"))
        | {"charge_group_id": repr(key), "billing_period": FIRST_DAY, "charge_date": key[0], "provider_id": key[1]}
        | {"provider_name": key[1], "service_name": key[1]}
        | {"model_id": key[2], "token_class": key[3], "billing_currency": "USD", "consumed_unit": "Tokens"}
        | {"consumed_quantity": tokens, "billed_cost": cost, "line_count": 1}
        for key, (tokens, cost) in rows.items()
    ]
    return pl.DataFrame(given, schema=schema_of("charge_groups"), orient="row")


SIDES: dict[str, Callable[[Path, str], None]] = {
    "engine": through_the_engine,
    "hand": by_hand,
    "reconciled": reconciled,
}
TITLES = {
    "hand": "one query by hand",
    "engine": "price_book, priced_requests, usage_daily",
    "reconciled": "these, owners, defects, hours, reconciliation",
}


def write_price_book(folder: Path) -> None:
    """Pivots the prices for the yardstick, outside of what is measured."""
    with tempfile.TemporaryDirectory() as spill:
        engine = DuckDBEngine(MEMORY_LIMIT, spill)
        engine.register("prices", [str(folder / "prices.parquet")])
        build(engine, ["price_book"], GIVEN)
        pq.write_table(engine.read("price_book"), folder / "price_book.parquet")
        engine.close()


def differing_rows(folder: Path, side: str) -> int:
    """Rows of usage_daily that a side has and the query by hand has not, in either direction."""
    names = ", ".join(column.name for column in contract("usage_daily").columns)
    engine, hand = (f"(select {names} from '{folder / of}.parquet')" for of in (side, "hand"))
    query = f"select count(*) from (({engine} except all {hand}) union all ({hand} except all {engine}))"
    with duckdb.connect() as connection:
        found = connection.execute(query).fetchall()
    return found[0][0]


def report(row_count: int, repeats: int, results: dict[str, dict[str, float]], group_count: int) -> str:
    """One Markdown table."""
    ratios = ", ".join(
        f"{kind} {results[side][name] / results['hand'][name]:.2f}"
        for side, kind, name in (
            ("engine", "pricing", "seconds"),
            ("reconciled", "all of it", "seconds"),
            ("reconciled", "all of it by processor seconds", "cpu_seconds"),
        )
    )
    lines = [
        f"## {row_count:,} requests in 30 day files, {group_count:,} rows of usage_daily, {os.cpu_count()} cores",
        "",
        "| way | seconds | processor seconds | requests a second | peak memory |",
        "|---|---:|---:|---:|---:|",
    ]
    for side, title in TITLES.items():
        seconds, cpu, gib = (results[side][name] for name in ("seconds", "cpu_seconds", "gib"))
        lines.append(f"| {title} | {seconds:.2f} | {cpu:.2f} | {row_count / seconds:,.0f} | {gib:.2f} GiB |")
    runs = f"median of {repeats} runs each, in turn" if repeats > 1 else "one run each"
    lines += ["", f"Ratios: {ratios} (bar {MOST_TIMES_SLOWER}); {runs}. usage_daily is equal row by row."]
    return "\n".join(lines) + "\n"


def run(row_count: int, folder: Path, repeats: int) -> int:
    """Measures both sides, writes the report, and tells by the exit status whether the bars hold."""
    write_log(folder, row_count)
    write_price_book(folder)
    results = in_fresh_processes("benchmarks.heavy_path", SIDES, folder, repeats)
    if different := sum(differing_rows(folder, side) for side in ("engine", "reconciled")):
        print(f"the two ways differ in {different} rows: no measurement", file=sys.stderr)
        return 1
    text = report(row_count, repeats, results, pq.read_metadata(folder / "engine.parquet").num_rows)
    title = (
        "# The heavy path: raw token log to priced to usage_daily\n\nEach run in a fresh process over the same files.\n"
    )
    write_section(HERE / "results.md", title, row_count, text)
    print(text)
    slower = results["reconciled"]["cpu_seconds"] > MOST_TIMES_SLOWER * results["hand"]["cpu_seconds"]
    return int(slower or results["reconciled"]["gib"] >= MOST_GIB)


def main() -> int:
    """The command line."""
    return main_over_requests(__doc__, SIDES, run, repeats=3)


if __name__ == "__main__":
    sys.exit(main())
