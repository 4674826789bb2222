"""A month of GPU samples to hourly states, against a plain average over the same rows.

`python -m benchmarks.gpu_states --gpus 1000 --days 30` makes the samples, runs each side in a fresh process over the
same files, holds the states against the billed seconds, and writes the table in `gpu_states.md` beside this file.
The yardstick is one query: the mean activity of every GPU and hour. It knows nothing of gaps, holders, states or bills.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.gpu_log import MINUTES, billed_hours, delivered_days, write_samples
from benchmarks.sides import in_fresh_processes, measured
from contracts import Contract, contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.house import shared_memory
from pipelines.night.ahead import AT_ONCE, computed
from pipelines.night.build import ROWS_AT_ONCE, rows_built
from pipelines.night.stale import stored_inputs

HERE = Path(__file__).parent
MEMORY_LIMIT = "1536MiB"
MOST_SECONDS = 120
MOST_GIB = 3
BY_HAND = """
    select cluster, hostname, gpu_uuid, gpu_instance_id, date_trunc('hour', sampled_at) as hour_start,
        avg(greatest(sm_active_ratio, dram_active_ratio, tensor_active_ratio)) as activity_ratio
    from '{files}'
    group by all
"""
STORED = ("gpu_runs", "gpu_holdings", "gpu_held", "gpu_stretches", "gpu_shares", "gpu_targets", "gpu_states_hourly")


def by_hand(folder: Path, spill: str) -> None:
    """The yardstick."""
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": spill})
    connection.execute("set preserve_insertion_order = false")
    query = BY_HAND.format(files=folder / "gpu_samples" / "*.parquet")
    pq.write_table(connection.sql(query).to_arrow_table(), folder / "hand.parquet")
    connection.close()


def through_the_engine(folder: Path, spill: str) -> None:
    """The house's own way: each stored table in engines of its own, from files, batches side by side as a night's."""
    days = sorted(path.stem for path in (folder / "gpu_samples").iterdir())
    for table in map(contract, STORED):
        start = time.process_time()
        (folder / table.table).mkdir()
        batches = list(_batches(folder, table, days))
        limit = shared_memory(MEMORY_LIMIT, min(len(batches), AT_ONCE))
        jobs = (partial(built, table, folder, together, spill, limit) for together in batches)
        for together, rows in zip(batches, computed(jobs), strict=True):
            for day in together:
                piece = rows.filter(pc.call_function("equal", [rows["usage_date"], pa.scalar(date.fromisoformat(day))]))
                pq.write_table(piece, folder / table.table / f"{day}.parquet")
        print(f"{table.table}: {time.process_time() - start:.1f} processor seconds", file=sys.stderr)


def _batches(folder: Path, table: Contract, days: Sequence[str]) -> Iterator[Sequence[str]]:
    """Days that a night builds together (`pipelines.night.build`): all of them where a day is read with others."""
    if table.neighbours:
        yield days
        return
    most, rows = table.rows_at_once or ROWS_AT_ONCE, 0
    together: list[str] = []
    for day in days:
        files = [file for below in stored_inputs(table) for file in _files(folder, below.table, [day])]
        count = sum(pq.read_metadata(file).num_rows for file in files if file.parent != folder)
        if together and rows + count > most:
            yield together
            together, rows = [], 0
        together.append(day)
        rows += count
    yield together


def _files(folder: Path, table: str, days: Sequence[str]) -> list[Path]:
    """A table's files of those days, or the one that has them all; none of a table that was not made."""
    whole = folder / f"{table}.parquet"
    return [whole] if whole.exists() else [file for day in days if (file := folder / table / f"{day}.parquet").exists()]


def built(table: Contract, folder: Path, days: Sequence[str], spill: str, memory_limit: str) -> pa.Table:
    """A table from files of those below it, as a night builds it; stored tables without files have no rows."""
    engine = DuckDBEngine(memory_limit, tempfile.mkdtemp(dir=spill))
    for below in stored_inputs(table):
        files = [str(path) for path in _files(folder, below.table, days)]
        engine.register(below.table, files or below.arrow_schema().empty_table())
    rows = rows_built(engine, table)
    engine.close()
    return rows


SIDES: dict[str, Callable[[Path, str], None]] = {"hand": by_hand, "engine": through_the_engine}
TITLES = {"hand": "a plain average by GPU and hour", "engine": "runs, holders, stretches, hourly states"}


def rules() -> pa.Table:
    """The thresholds that hold where the configuration gives none, as the night writes them."""
    row = {
        "idle_activity_ratio": Decimal("0.05"),
        "idle_utilisation_ratio": Decimal("0.01"),
        "full_activity_ratio": Decimal("0.8"),
        "interactive_idle_seconds": 900,
        "training_idle_seconds": 1800,
        "batch_idle_seconds": 300,
    }
    return pa.Table.from_pylist([row], schema=contract("gpu_rules").arrow_schema())


def unexplained_seconds(folder: Path) -> int:
    """Billed GPU seconds that the states do not sum to, in any hour of any node."""
    query = f"""
        select coalesce(sum(abs(billed - stated)), 0) from (
            select resource_id, hour_start, gpu_count * billed_seconds as billed
            from '{folder / "gpu_billed_hours.parquet"}'
        ) left join (
            select resource_id, hour_start, sum(state_seconds) as stated
            from '{folder / "gpu_states_hourly" / "*.parquet"}' group by all
        ) using (resource_id, hour_start)
    """
    with duckdb.connect() as connection:
        return int(connection.execute(query).fetchall()[0][0])


def report(given: Sequence[int], results: dict[str, dict[str, float]], folder: Path) -> str:
    """One Markdown table."""
    gpu_count, day_count, repeats = given
    row_count = gpu_count * day_count * MINUTES
    runs, states, held = (
        sum(pq.read_metadata(path).num_rows for path in folder.glob(name))
        for name in ("gpu_runs/*", "gpu_states_hourly/*", "gpu_allocations/*")
    )
    ratio = results["engine"]["cpu_seconds"] / results["hand"]["cpu_seconds"]
    table = [
        "| way | seconds | processor seconds | samples a processor second | peak memory |",
        "|---|---:|---:|---:|---:|",
    ]
    for side, title in TITLES.items():
        seconds, cpu, gib = (results[side][name] for name in ("seconds", "cpu_seconds", "gib"))
        table.append(f"| {title} | {seconds:.1f} | {cpu:.1f} | {row_count / cpu:,.0f} | {gib:.2f} GiB |")
    rows = "\n".join(table)
    return f"""# A month of GPU samples to hourly states

{gpu_count:,} GPUs, {day_count} days, a sample a minute: {row_count:,} samples, {runs:,} runs, {held:,} rows of
gpu_allocations (pods and batch jobs), {states:,} rows of gpu_states_hourly. {os.cpu_count()} cores, DuckDB limited to
{MEMORY_LIMIT}. Runs of each side:
{repeats}, in turn, each in a fresh process over the same files; medians.

{rows}

Processor seconds on two cores make {results["engine"]["cpu_seconds"] / 2:.0f} seconds (bar {MOST_SECONDS} seconds and
{MOST_GIB} GiB): {ratio:.1f} times the processor seconds of the average, which knows nothing of gaps, holders, states or
bills. The states of every node and hour sum to its billed seconds.
"""


def run(gpu_count: int, day_count: int, repeats: int, folder: Path) -> int:
    """Measures both sides, writes the report, and tells by the exit status whether the bars hold."""
    write_samples(folder, gpu_count, day_count)
    pq.write_table(billed_hours(gpu_count, day_count), folder / "gpu_billed_hours.parquet")
    pq.write_table(rules(), folder / "gpu_rules.parquet")
    pq.write_table(delivered_days(day_count), folder / "holder_days.parquet")
    results = in_fresh_processes("benchmarks.gpu_states", SIDES, folder, repeats)
    if seconds := unexplained_seconds(folder):
        print(f"{seconds} billed seconds have no state: no measurement", file=sys.stderr)
        return 1
    text = report((gpu_count, day_count, repeats), results, folder)
    (HERE / "gpu_states.md").write_text(text, encoding="utf-8")
    print(text)
    return int(results["engine"]["cpu_seconds"] > 2 * MOST_SECONDS or results["engine"]["gib"] >= MOST_GIB)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpus", type=int, default=1000, help="GPUs, eight to a node")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=1, help="runs of each side")
    parser.add_argument("--folder", type=Path, help="where the samples are written; a temporary folder unless given")
    parser.add_argument("--side", choices=SIDES, help="measure one side over samples that are there, as JSON")
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measured(SIDES[given.side], given.folder)))
        return 0
    with tempfile.TemporaryDirectory(prefix="farthing-benchmark-", dir=given.folder) as folder:
        return run(given.gpus, given.days, given.repeats, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
