"""The decisions of a night: all of them on twelve months of 200 teams and 30 models, and one month of the log.

`python -m benchmarks.decisions --rows 100000000` measures the bar: the whole set in five minutes and 4 GiB on two
cores. It makes the rows, runs each side in a fresh process over the same files, one after the other, and writes a table
in `decisions.md` beside this file; with fewer rows it says what a hundred million would take at least. What reads the
log request by request grows with the rows, the year of daily sums is the same for any number of them. The reference is
one query written by hand over the same log, the one that `benchmarks.heavy_path` is held against.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.decision_lake import of_bridges, of_budgets, of_changes, of_outcomes, of_plans, write_lake
from benchmarks.decision_rows import BEFORE, batches, write_all
from benchmarks.heavy_path import GIVEN, MEMORY_LIMIT, build, by_hand, open_engine
from benchmarks.sides import in_fresh_processes, main_over_requests, write_section
from benchmarks.token_log import FIRST_DAY
from contracts import contract
from models.anomalies import anomalies
from models.commitment_advice import commitment_advice
from models.forecast_series import base_scopes
from models.forecasts import Told, forecasts
from models.frames import frame_of, schema_of
from models.savings import savings_rows
from models.savings_cells import MonthRows
from models.scopes import COST
from pipelines.house import shared_memory
from pipelines.night.ahead import AT_ONCE, computed
from pipelines.savings_ranges import published_ranges

HERE = Path(__file__).parent
TEAMS, MODELS, DAYS, MACHINES = 200, 30, 365, 50
OF_REQUESTS = ("prompts_asked_again", "request_shapes", "avoidable_requests")
FULL_ROWS, MOST_SECONDS, CORES, MOST_GIB = 100_000_000, 300, 2, 4
_IN_NONE = [pl.lit("").alias(name) for name in ("outcome_kind", "business_unit")]


def of_requests(folder: Path, _spill: str) -> None:
    """What single attempts could have spared: days together and side by side, as a night builds them."""
    for table in OF_REQUESTS:
        jobs = (partial(_built, folder, table, number, files) for number, files in enumerate(batches(folder)))
        for number, rows in enumerate(computed(jobs)):
            pq.write_table(rows, folder / f"{table}-{number}.parquet")


def _built(folder: Path, table: str, number: int, files: Iterable[Path]) -> pa.Table:
    with tempfile.TemporaryDirectory() as spill:
        engine = open_engine(folder, files, spill, shared_memory(MEMORY_LIMIT, AT_ONCE))
        given = [name for name in (*BEFORE, *OF_REQUESTS) if (folder / f"{name}-{number}.parquet").exists()]
        for name in given:
            engine.register(name, [str(folder / f"{name}-{number}.parquet")])
        engine.register("price_book", [str(folder / "price_book.parquet")])
        build(engine, [table], [*GIVEN, *given, "price_book"])
        rows = engine.read(table)
        engine.close()
    return rows


def of_savings(folder: Path, _spill: str) -> None:
    """The month's savings of every team, from what single attempts could have spared."""

    def read(table: str) -> pl.DataFrame:
        pieces = [pq.read_table(file) for file in sorted(folder.glob(f"{table}-*.parquet"))]
        return frame_of(pa.concat_tables(pieces)) if pieces else pl.DataFrame(schema=schema_of(table))

    tables = ("usage_by_team_daily", "usage_hourly", "gpu_waste", "chargeback", "commitment_advice")
    month = MonthRows(*(read(name) for name in ("avoidable_requests", "request_shapes", *tables)))
    rows = list(savings_rows(FIRST_DAY, month, published_ranges()))
    pq.write_table(
        pa.Table.from_pylist(rows, schema=contract("savings").arrow_schema()), folder / "found-savings.parquet"
    )


def of_anomalies(folder: Path, _spill: str) -> None:
    """Every anomaly of a year, at three levels and in five metrics."""
    costs, usage = (_exact(folder / f"{name}.parquet") for name in ("costs", "usage"))
    anomalies(costs, usage, currency="USD").write_parquet(folder / "found-anomalies.parquet")


def of_forecasts(folder: Path, _spill: str) -> None:
    """The month-end of the organisation, of every team and provider."""
    costs = _exact(folder / "costs.parquet").with_columns(_IN_NONE)
    daily = costs.with_columns(value=pl.col("cost_units").cast(pl.Float64) / 10**12)
    charged = costs.with_columns(billing_period=pl.col("day").dt.month_start(), units="cost_units")
    last = FIRST_DAY - timedelta(days=1)
    told = Told(COST, "USD", daily, charged, last - timedelta(days=12), last, {})
    forecasts(told, base_scopes(daily, COST)).write_parquet(folder / "found-forecasts.parquet")


def of_commitments(folder: Path, _spill: str) -> None:
    """What to commit to, from ninety days of every machine type's hours."""
    use, prices = (pl.read_parquet(folder / f"{name}.parquet") for name in ("machine_use", "machine_prices"))
    none = pl.DataFrame(schema=schema_of("commitment_hours"))
    period = datetime(2025, 12, 1)
    commitment_advice(use, none, prices, period).write_parquet(folder / "found-commitments.parquet")


def _exact(file: Path) -> pl.DataFrame:
    return pl.read_parquet(file).with_columns(pl.col("cost_units").cast(pl.Int128))


SIDES: dict[str, Callable[[Path, str], None]] = {
    "hand": by_hand,
    "requests": of_requests,
    "savings": of_savings,
    "anomalies": of_anomalies,
    "forecasts": of_forecasts,
    "commitments": of_commitments,
    "bridges": of_bridges,
    "changes": of_changes,
    "plans": of_plans,
    "outcomes": of_outcomes,
    "budgets": of_budgets,
}
TITLES = {
    "hand": "one query by hand",
    "requests": "prompts_asked_again, request_shapes, avoidable_requests",
    "savings": "savings",
    "anomalies": "anomalies",
    "forecasts": "forecasts",
    "commitments": "commitment_advice",
    "bridges": "variance_bridge",
    "changes": "verified_savings",
    "plans": "break_even",
    "outcomes": "unit_costs",
    "budgets": "budget_status",
}


def report(row_count: int, results: dict[str, dict[str, float]]) -> tuple[str, bool]:
    """One Markdown table, and whether no bar is missed, for a month of a hundred million where this one is smaller.

    Processor seconds on cores that are never idle are the least that it can take: they can miss the bar of seconds, and
    only the seconds of a whole month can keep it.
    """
    lines = [
        f"## {row_count:,} requests, {DAYS} days of {TEAMS} teams and {MODELS} models, {os.cpu_count()} cores",
        "",
        "| what | seconds | processor seconds | peak memory |",
        "|---|---:|---:|---:|",
    ]
    for side, title in TITLES.items():
        found = results[side]
        lines.append(f"| {title} | {found['seconds']:.1f} | {found['cpu_seconds']:.1f} | {found['gib']:.2f} GiB |")
    cpu = {side: found["cpu_seconds"] for side, found in results.items()}
    full = cpu["requests"] * max(1, FULL_ROWS / row_count)
    rest = sum(cpu[side] for side in SIDES if side not in ("hand", "requests"))
    # attempts are built on all cores, the rest is counted as if it used but one
    least = full / CORES + rest
    taken = sum(results[side]["seconds"] for side in SIDES if side != "hand")
    kept = "kept" if row_count >= FULL_ROWS and taken <= MOST_SECONDS else "undecided"
    peak = max(results[side]["gib"] for side in SIDES if side != "hand")
    told = "" if row_count >= FULL_ROWS else f", extrapolated from {row_count:,} requests by their number"
    lines += [
        "",
        f"Single attempts by processor seconds against the query by hand: {cpu['requests'] / cpu['hand']:.2f}. At",
        f"{FULL_ROWS:,} requests, {full:.0f} processor seconds at full use of {CORES} cores and {rest:.0f} on one:",
        f"{least:.0f} s at least{told}; the bar of {MOST_SECONDS} s is",
        f"{'missed' if least > MOST_SECONDS else kept}. Highest peak {peak:.2f} GiB (bar {MOST_GIB}).",
    ]
    return "\n".join(lines) + "\n", least <= MOST_SECONDS and peak <= MOST_GIB


def run(row_count: int, folder: Path, repeats: int) -> int:
    """Measures all sides, writes the report, and tells by the exit status whether a bar is missed."""
    write_all(folder, row_count, teams=TEAMS, models=MODELS, days=DAYS, machines=MACHINES)
    write_lake(folder, TEAMS, MODELS)
    text, is_none_missed = report(row_count, in_fresh_processes("benchmarks.decisions", SIDES, folder, repeats))
    title = "# The decisions of a night\n\nEach run in a fresh process over the same files.\n"
    write_section(HERE / "decisions.md", title, row_count, text)
    print(text)
    return int(not is_none_missed)


def main() -> int:
    """The command line."""
    return main_over_requests(__doc__, SIDES, run, repeats=1)


if __name__ == "__main__":
    sys.exit(main())
