"""A gateway's gzipped JSONL payloads as rows of the fact, against DuckDB's JSON reader reading the same fields.

`python -m benchmarks.litellm_payloads` makes the files, runs both sides in fresh processes over them, in turn, and
writes the table in `litellm_payloads.md` beside this file. Ours reads the fields that the allow-list names, hashes
people, checks every value and writes the landed lines; a further side makes rows of the contract of those. DuckDB reads
the same fields, each with its type, and keeps the largest of each; it checks and hashes nothing, and writes nothing.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.gateway_payloads import DAY, FILES, write
from connectors.base import Bytes, LandedPage, Page
from connectors.litellm import SOURCE
from connectors.litellm.settings import LiteLlmSettings
from connectors.windows import day_window

HERE = Path(__file__).parent
MOST_TIMES_SLOWER = 1.5
MOST_OTHER_WORK = 0.1  # processors, beside a turn that says what seconds are worth


Runs = dict[str, list[dict[str, float]]]
"""What each run of each side took."""


def settings(folder: Path) -> LiteLlmSettings:
    """The gateway of the benchmark."""
    given = {"name": "gateway", "kind": "litellm", "location": str(folder), "hash_key": "a key of the benchmark's own"}
    return LiteLlmSettings.model_validate(
        given | {"layout": "{date}/*", "folders_after": 0, "outcome_keys": ["ticket_id"]}
    )


def fields_by_us(folder: Path) -> int:
    """Ours: every field through the allow-list, as canonical JSON lines."""
    return sum(content_of(page).count(b"\n") for page in SOURCE.fetch(settings(folder), day_window(DAY.date())))


def landed(folder: Path) -> Iterator[LandedPage]:
    """Pages after the allow-list, known by their content as the lake knows them."""
    for page in SOURCE.fetch(settings(folder), day_window(DAY.date())):
        content = content_of(page)
        yield LandedPage(page.name, hashlib.sha256(content).hexdigest(), Bytes(content))


def content_of(page: Page) -> bytes:
    """The page's bytes."""
    with page.body.open() as stream:
        return stream.read()


def rows_of_the_fact(folder: Path) -> int:
    """Ours: through the allow-list to landed pages, and from those to rows."""
    count = 0
    for parsed in SOURCE.parse(settings(folder), day_window(DAY.date()), landed(folder)):
        if parsed.rejects:
            raise RuntimeError(f"{parsed.rejects[0].reason}: {parsed.rejects[0].detail}")
        count += parsed.rows.num_rows
    return count


def fields_by_duckdb(folder: Path, threads: int | None = None) -> int:
    """The yardstick: the same fields, each with its type; on all cores unless told otherwise."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _FIELDS.items())
    with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
        connection.execute(
            "select count(*), max(columns(*)) from "
            f"read_json('{folder}/*/*.jsonl.gz', format = 'newline_delimited', columns = {{{columns}}})"
        )
        (row,) = connection.fetchall()
        return int(row[0])


_USAGE = (
    "STRUCT(prompt_tokens BIGINT, completion_tokens BIGINT, total_tokens BIGINT, cache_read_input_tokens BIGINT, "
    "cache_creation_input_tokens BIGINT, service_tier VARCHAR, prompt_tokens_details STRUCT(cached_tokens BIGINT, "
    "cache_write_tokens BIGINT, cache_creation_tokens BIGINT, audio_tokens BIGINT, image_tokens BIGINT, "
    "cached_tokens_details STRUCT(audio_tokens BIGINT), cache_creation_token_details "
    "STRUCT(ephemeral_5m_input_tokens BIGINT, ephemeral_1h_input_tokens BIGINT)), "
    "completion_tokens_details STRUCT(reasoning_tokens BIGINT, audio_tokens BIGINT, image_tokens BIGINT))"
)
_BREAKDOWN = (
    "STRUCT(original_cost VARCHAR, total_cost VARCHAR, discount_amount VARCHAR, margin_total_amount VARCHAR, "
    "margin_fixed_amount VARCHAR, tool_usage_cost VARCHAR, service_tier VARCHAR)"
)
_ASKED = "STRUCT(feature VARCHAR, environment VARCHAR, ticket_id VARCHAR)"
_FIELDS = {
    **dict.fromkeys(("id", "litellm_call_id", "trace_id", "session_id", "call_type", "status"), "VARCHAR"),
    **dict.fromkeys(("custom_llm_provider", "model", "model_group", "model_id", "api_base", "end_user"), "VARCHAR"),
    **dict.fromkeys(("total_tokens", "prompt_tokens", "completion_tokens"), "BIGINT"),
    **dict.fromkeys(("startTime", "endTime"), "DOUBLE"),
    **dict.fromkeys(("cache_hit", "stream"), "BOOLEAN"),
    **dict.fromkeys(("response_cost", "saved_cache_cost"), "VARCHAR"),
    "request_tags": "VARCHAR[]",
    "cost_breakdown": _BREAKDOWN,
    "error_information": "STRUCT(error_code VARCHAR, error_class VARCHAR)",
    "model_parameters": "STRUCT(stream BOOLEAN)",
    "metadata": (
        "STRUCT(user_api_key_hash VARCHAR, user_api_key_alias VARCHAR, user_api_key_team_id VARCHAR, "
        "user_api_key_team_alias VARCHAR, user_api_key_org_id VARCHAR, user_api_key_project_id VARCHAR, "
        "user_api_key_user_id VARCHAR, litellm_call_id VARCHAR, original_model_group VARCHAR, status VARCHAR, "
        f"attempted_retries BIGINT, attempted_fallbacks BIGINT, spend_logs_metadata {_ASKED}, "
        f"requester_metadata {_ASKED}, usage_object {_USAGE})"
    ),
}


SIDES: dict[str, tuple[str, Callable[[Path], int]]] = {
    "duckdb": ("DuckDB reads the fields, on all cores", fields_by_duckdb),
    "duckdb-one": ("DuckDB reads the fields, on one core", partial(fields_by_duckdb, threads=1)),
    "ours": ("ours: the same fields through the allow-list, as landed lines", fields_by_us),
    "rows": ("ours: the same, and from those the checked rows of the fact", rows_of_the_fact),
}


def measured(side: str, folder: Path, count: int) -> dict[str, float]:
    """Runs a side in this process: its seconds, those of its processors (children too), and its peak memory in GiB.

    `others` is how many processors other work used meanwhile. Memory is that of this process and its largest child.
    """
    start, used, busy = time.perf_counter(), _processor_seconds(), _busy_seconds()
    found = SIDES[side][1](folder)
    if found != count:
        raise RuntimeError(f"{side}: {found} rows of {count}")
    seconds, cpu_seconds = time.perf_counter() - start, _processor_seconds() - used
    others = max(0.0, _busy_seconds() - busy - cpu_seconds) / seconds
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "others": others, "gib": peak / 2**20}


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _busy_seconds() -> float:
    """What all processors of the machine have worked since it started."""
    user, nice, system, _, _, interrupts, soft, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, interrupts, soft))) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(until: float) -> None:
    """Returns when the machine has done next to nothing for a second, or at that moment of `time.monotonic`."""
    while time.monotonic() < until:
        before = _busy_seconds()
        time.sleep(1)
        if _busy_seconds() - before < 0.1:
            return


def in_fresh_processes(folder: Path, count: int, repeats: int, patience: float) -> Runs:
    """Runs the sides in turn, so that all meet the same machine; what each run took.

    `patience` is how many seconds all turns together may wait for the machine to be quiet.
    """
    runs: Runs = {side: [] for side in SIDES}
    until = time.monotonic() + patience
    for _ in range(repeats):
        wait_for_quiet(until)
        for side, found in runs.items():
            command = [sys.executable, "-m", "benchmarks.litellm_payloads", "--side", side, "--folder", str(folder)]
            answer = subprocess.run([*command, "--rows", str(count)], check=True, capture_output=True)
            found.append(json.loads(answer.stdout))
    return runs


def times(runs: Runs, side: str, name: str) -> float:
    """How many times DuckDB's a side's figure is: the median over turns, for a shared machine changes between them."""
    return median(mine[name] / its[name] for mine, its in zip(runs[side], runs["duckdb"], strict=True))


def quietest(runs: Runs, side: str) -> tuple[float, float]:
    """The turn in which other work used least while DuckDB and this side ran: that, and times DuckDB's seconds."""
    pairs = zip(runs[side], runs["duckdb"], strict=True)
    return min((max(mine["others"], its["others"]), mine["seconds"] / its["seconds"]) for mine, its in pairs)


def _verdict(runs: Runs, side: str) -> str:
    others, ratio = quietest(runs, side)
    if others > MOST_OTHER_WORK:
        return f"cannot be judged (other work used {others:.2f} processors and more in every turn)"
    return f"{'hold it' if ratio <= MOST_TIMES_SLOWER else 'do not hold it'} ({ratio:.2f} times)"


def report(count: int, gib: tuple[float, float], runs: Runs) -> str:
    """The Markdown table."""
    middle = {
        side: {name: median(run[name] for run in found) for name in ("seconds", "cpu_seconds", "others", "gib")}
        for side, found in runs.items()
    }
    return "\n".join(
        [
            "# LiteLLM's payloads as rows",
            "",
            (
                f"{count:,} payloads in {FILES} gzip files: {gib[0]:.2f} GiB, unpacked {gib[1]:.2f} GiB; "
                f"{os.cpu_count()} cores, on which other work may run too; every run in a fresh process over the same "
                f"files, in turn; medians of {len(runs['duckdb'])} turns. The last column is how many processors other "
                "work used meanwhile."
            ),
            "",
            (
                "| way | seconds | processor seconds | peak memory | times DuckDB's seconds | its processor seconds "
                "| other work |"
            ),
            "|---|---:|---:|---:|---:|---:|---:|",
            *(
                f"| {words} | {middle[side]['seconds']:.1f} | {middle[side]['cpu_seconds']:.1f} | "
                f"{middle[side]['gib']:.2f} GiB | {times(runs, side, 'seconds'):.2f} | "
                f"{times(runs, side, 'cpu_seconds'):.2f} | {middle[side]['others']:.2f} |"
                for side, (words, _) in SIDES.items()
            ),
            "",
            (
                f"The bar is {MOST_TIMES_SLOWER} times DuckDB's seconds. In the quietest turn, landed lines "
                f"{_verdict(runs, 'ours')}; rows of the fact {_verdict(runs, 'rows')}. DuckDB reads several files at "
                "once, and so do ours, by a process for each further core. Where other work takes the cores, seconds "
                "tell how the machine shares them out, and processor seconds what the reading takes."
            ),
            "",
        ]
    )


def run(count: int, folder: Path, repeats: int, patience: float) -> int:
    """Makes the files, measures both sides, writes the table, and tells by the exit status whether the bar holds."""
    unpacked = write(folder, count)
    packed = sum(path.stat().st_size for path in folder.rglob("*.gz"))
    runs = in_fresh_processes(folder, count, repeats, patience)
    text = report(count, (packed / 2**30, unpacked / 2**30), runs)
    (HERE / "litellm_payloads.md").write_text(text, encoding="utf-8")
    print(text)
    return int(times(runs, "ours", "seconds") > MOST_TIMES_SLOWER)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--patience", type=float, default=0, help="Seconds to wait for a machine that rests.")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--side", choices=SIDES)
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(measured(asked.side, asked.folder, asked.rows)))
        return 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        return run(asked.rows, Path(folder), asked.repeats, asked.patience)


if __name__ == "__main__":
    sys.exit(main())
