"""One side of a comparison in a process of its own: what it took, and the sides in turn.

Here belongs: how a benchmark of sides is measured. Here does not belong: what a side does.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median

Side = Callable[[Path, str], None]


def measured(run: Side, folder: Path) -> dict[str, float]:
    """Runs a side in this process: its seconds, those of its processors, and its peak memory in GiB.

    The side is given the folder of its input, and one for what does not fit into memory.
    """
    with tempfile.TemporaryDirectory() as spill:
        start = time.perf_counter()
        run(folder, spill)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "gib": _peak_gib()}


def _peak_gib() -> float:
    """The most memory that this program held. What `getrusage` says may be that of the process that started it."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) / 2**20
    raise OSError("/proc/self/status has no VmHWM: this runs on Linux alone")


def in_fresh_processes(module: str, sides: Iterable[str], folder: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Runs the sides in turn, so that all meet the same machine: the medians of their seconds, the highest peak.

    Each run is `python -m <module> --side <side> --folder <folder>`, which prints what `measured` says as JSON.
    """
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for _ in range(repeats):
        for side, found in runs.items():
            command = [sys.executable, "-m", module, "--side", side, "--folder", str(folder)]
            found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    return {
        side: {
            "seconds": median(run["seconds"] for run in found),
            "cpu_seconds": median(run["cpu_seconds"] for run in found),
            "gib": max(run["gib"] for run in found),
        }
        for side, found in runs.items()
    }


def main_over_requests(
    told: str | None, sides: Mapping[str, Side], run: Callable[[int, Path, int], int], *, repeats: int
) -> int:
    """The command line of a benchmark over a log of so many requests. Returns the exit status.

    Args:
        told: what it says of itself.
        sides: one of them is run, and told as JSON, where `--side` names it.
        run: else all are, given the number of requests, an empty folder and how often each side runs.
        repeats: how often, where nobody says.
    """
    parser = argparse.ArgumentParser(description=told)
    parser.add_argument("--rows", type=int, default=10_000_000, help="requests in the log")
    parser.add_argument("--repeats", type=int, default=repeats, help="runs of each side")
    parser.add_argument("--folder", type=Path, help="where the log is written; a temporary folder unless given")
    parser.add_argument("--side", choices=sides, help="measure one side over a log that is there, as JSON")
    given = parser.parse_args()
    if given.side:
        print(json.dumps(measured(sides[given.side], given.folder)))
        return 0
    with tempfile.TemporaryDirectory(prefix="farthing-benchmark-", dir=given.folder) as folder:
        return run(given.rows, Path(folder), given.repeats)


def write_section(page: Path, title: str, row_count: int, text: str) -> None:
    """Writes a benchmark's page: its title, the sections of other numbers of requests as they stand, and this one."""
    sections = page.read_text("utf-8").split("\n## ")[1:] if page.exists() else []
    kept = [f"## {section.rstrip()}\n" for section in sections if not section.startswith(f"{row_count:,} ")]
    page.write_text("\n".join([title, *kept, text]), encoding="utf-8")
