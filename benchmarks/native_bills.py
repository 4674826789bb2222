"""A Cost and Usage Report of a gibibyte into the lake, against DuckDB reading the same files.

Parquet is held against what also writes them once, a gzip CSV against its own reader with the types that it sniffs.

`python -m benchmarks.native_bills` makes the reports, runs every side in a fresh process over the same files, in turn,
and writes the table in `native_bills.md` beside this file. Ours lands (copies and hashes), parses and commits; the
yardsticks are one statement each: they keep no contract, check no line and count nothing.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb

from benchmarks.report_rows import write_csv, write_parquet
from benchmarks.sides import in_fresh_processes
from connectors.aws.bill import SOURCE
from connectors.aws.bill_settings import AwsBillSettings
from connectors.windows import month_window
from pipelines.lake import Lake

HERE = Path(__file__).parent
MOST_TIMES_SLOWER = 2
MOST_GIB = 2
FILES = 8


def into_the_lake(report: Path, spill: Path) -> None:
    """Ours: land, parse and commit one month."""
    lake = Lake.open(str(spill), {}, lambda: datetime(2026, 10, 1))
    settings = AwsBillSettings(name="aws", location=str(report))
    delivery = lake.ingest(SOURCE, settings, month_window(date(2026, 9, 1)), "benchmark")
    if delivery.status != "committed" or delivery.reject_count:
        raise RuntimeError(f"{delivery.status}, {delivery.reject_count} refused: {delivery.message}")


def parquet_written_once(report: Path, spill: Path) -> None:
    """Yardstick: DuckDB copies Parquet to Parquet."""
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * from read_parquet('{report}/data/*/*.parquet')) to '{spill}/x.parquet'")


def csv_written_once(report: Path, spill: Path) -> None:
    """Yardstick: DuckDB reads the CSV as text and writes it as Parquet."""
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * from {_csv(report)}) to '{spill}/x.parquet'")


def csv_read(report: Path, spill: Path) -> None:  # noqa: ARG001 - a side takes both
    """Yardstick: DuckDB reads every value of the CSV as text and keeps the largest of each column."""
    with duckdb.connect() as connection:
        connection.execute(f"select max(columns(*)) from {_csv(report)}").fetchall()


def csv_typed(report: Path, spill: Path) -> None:  # noqa: ARG001 - a side takes both
    """Yardstick: DuckDB reads the CSV as people read one, with the types that it sniffs, and keeps the largest."""
    with duckdb.connect() as connection:
        connection.execute(f"select max(columns(*)) from read_csv('{report}/data/*/*.csv.gz')").fetchall()


def _csv(report: Path) -> str:
    return f"read_csv('{report}/data/*/*.csv.gz', all_varchar = true, header = true)"


SIDES: dict[str, tuple[str, str, Callable[[Path, Path], None]]] = {
    "parquet-yardstick": ("parquet", "DuckDB: read, write once as Parquet", parquet_written_once),
    "parquet-lake": ("parquet", "land, parse, commit", into_the_lake),
    "csv-yardstick": ("csv", "DuckDB: read as text, write once as Parquet", csv_written_once),
    "csv-lake": ("csv", "land, parse, commit", into_the_lake),
    "csv-typed": ("csv", "DuckDB: its own reader with the types it sniffs, largest value of each column", csv_typed),
    "csv-read": ("csv", "DuckDB: read as text, largest value of each column", csv_read),
}
JUDGED = (
    "Parquet is judged by what DuckDB takes to read the same files and write them once, a CSV by what its own reader "
    "takes with the types that it sniffs, every value thrown away. What writes the CSV once, or reads it as text, "
    "is told beside it. docs/decisions/0012 says where the rest goes."
)
BARS = ("parquet-yardstick", "csv-typed")
YARDSTICKS: dict[str, str] = {
    **dict.fromkeys(("parquet-yardstick", "csv-yardstick"), "what is written once"),
    "csv-typed": "what only reads every value in its type",
    "csv-read": "what only reads every value as text",
}


def measured(side: str, folder: Path) -> dict[str, float]:
    """Runs a side in this process: its seconds, those of its processors, and its peak memory in GiB."""
    kind, _, run = SIDES[side]
    with tempfile.TemporaryDirectory(dir=folder) as spill:
        start, used = time.perf_counter(), time.process_time()
        run(folder / kind, Path(spill))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "gib": peak / 2**20}


def report(rows: dict[str, int], gib: dict[str, float], repeats: int, results: dict[str, dict[str, float]]) -> str:
    """One Markdown table for each format."""
    lines = [
        "# A Cost and Usage Report into the lake",
        "",
        f"127 columns, {FILES} files, {os.cpu_count()} cores; every run in a fresh process on the same files, in turn; "
        + (f"medians of {repeats} runs." if repeats > 1 else "one run each."),
    ]
    for kind, title in (("parquet", "Parquet (Snappy)"), ("csv", "gzip CSV")):
        lines += [
            "",
            f"## {title}: {rows[kind]:,} lines, {gib[kind]:.2f} GiB",
            "",
            "| way | seconds | processor seconds | peak memory |",
            "|---|---:|---:|---:|",
        ]
        for side, (of_kind, words, _) in SIDES.items():
            if of_kind == kind:
                found = results[side]
                lines.append(
                    f"| {words} | {found['seconds']:.1f} | {found['cpu_seconds']:.1f} | {found['gib']:.2f} GiB |"
                )
        lines += ["", f"Bar: {MOST_TIMES_SLOWER} times as long; memory below {MOST_GIB} GiB."]
        for yardstick, words in YARDSTICKS.items():
            if SIDES[yardstick][0] == kind:
                wall, cpu = (ratio(results, yardstick, name) for name in ("seconds", "cpu_seconds"))
                lines.append(f"Ratio to {words}: {wall:.2f} in seconds, {cpu:.2f} in processor seconds.")
    return "\n".join([*lines, "", JUDGED]) + "\n"


def ratio(results: dict[str, dict[str, float]], yardstick: str, name: str) -> float:
    """How many times what the yardstick takes ours takes."""
    return results[f"{SIDES[yardstick][0]}-lake"][name] / results[yardstick][name]


def run(rows: dict[str, int], folder: Path, repeats: int) -> int:
    """Makes the reports, measures all sides, writes the table, and tells by the exit status whether the bars hold."""
    write_parquet(folder / "parquet", rows["parquet"], FILES)
    write_csv(folder / "csv", rows["csv"], FILES)
    gib = {kind: sum(f.stat().st_size for f in (folder / kind).rglob("acme*")) / 2**30 for kind in rows}
    results = in_fresh_processes("benchmarks.native_bills", SIDES, folder, repeats)
    text = report(rows, gib, repeats, results)
    (HERE / "native_bills.md").write_text(text, encoding="utf-8")
    print(text)
    slower = any(ratio(results, yardstick, "seconds") > MOST_TIMES_SLOWER for yardstick in BARS)
    return int(slower or any(results[f"{kind}-lake"]["gib"] >= MOST_GIB for kind in rows))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parquet-rows", type=int, default=10_000_000, help="lines of the Parquet report: 1 GiB")
    parser.add_argument("--csv-rows", type=int, default=7_800_000, help="lines of the CSV report: 1 GiB")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side")
    parser.add_argument("--folder", type=Path, help="where the reports are written; a temporary folder unless given")
    parser.add_argument("--side", choices=SIDES, help="measure one side over reports that are there, as JSON")
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measured(given.side, given.folder)))
        return 0
    with tempfile.TemporaryDirectory(prefix="farthing-benchmark-", dir=given.folder) as folder:
        return run({"parquet": given.parquet_rows, "csv": given.csv_rows}, Path(folder), given.repeats)


if __name__ == "__main__":
    sys.exit(main())
