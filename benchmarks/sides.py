"""One side of a comparison in a process of its own: what it took, and the sides in turn.

Here belongs: how a benchmark of sides is measured. Here does not belong: what a side does.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median


def measured(run: Callable[[Path, str], None], folder: Path) -> dict[str, float]:
    """Runs a side in this process: its seconds, those of its processors, and its peak memory in GiB.

    The side is given the folder of its input, and one for what does not fit into memory.
    """
    with tempfile.TemporaryDirectory() as spill:
        start = time.perf_counter()
        run(folder, spill)
        seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "gib": used.ru_maxrss / 2**20}


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
