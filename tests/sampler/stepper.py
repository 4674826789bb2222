"""Takes rounds at instants that a test gives: one line of input, one round. The sampler, its library and files are real.

Input lines: `2026-10-01T10:00:00` is a round at that instant, to which time went steadily; `set 2026-10-01T10:00:00` one
after somebody set the clock.
"""

import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

from pipelines.sampler import loop
from pipelines.sampler.spool import Spool

EPOCH = datetime(1970, 1, 1)


def main(spool: Path, processes: Path, logs: Path, most_bytes: int) -> None:
    state = SimpleNamespace(now=EPOCH, offset=0.0)
    steady = SimpleNamespace(monotonic=lambda: (state.now - EPOCH).total_seconds() - state.offset)
    loop.time = steady  # type: ignore[attr-defined]
    order = loop.Order(spool, 15, "node-1", "i-0abc", most_bytes, processes, logs)
    files = Spool(order.spool, order.hostname, order.most_bytes, loop._tell)
    sampler = loop.Sampler(order, lambda: state.now, files, health_every=20)
    files.open()
    for line in sys.stdin:
        is_set, at = line.startswith("set "), datetime.fromisoformat(line.split()[-1])
        if is_set:
            state.offset += (at - state.now).total_seconds() - 15
        state.now = at
        sys.stdout.write(f"{sampler.round()}\n")
        sys.stdout.flush()
    sampler.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
