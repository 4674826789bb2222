"""The pods that serve the company's own model: which GPUs each held from when to when, and when its engine answered.

All stood since August. On the twentieth one engine failed and started anew, was relieved of its work half an hour
later, and went on holding its GPUs for forty minutes. The pod in its place took twelve minutes to its first request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sample.exposition import STEP

NAMESPACE, DEPLOYMENT, CONTAINER = "serving", "llm-house", "vllm"
SINCE = datetime(2026, 8, 28, 6, 10)  # noqa: DTZ001  (every time in the sample is UTC and naive)
ALWAYS = datetime.max  # noqa: DTZ901
REPLACED_ON = date(2026, 10, 20)


def _at(clock: str) -> datetime:
    return datetime.combine(REPLACED_ON, time.fromisoformat(clock))


class Run(NamedTuple):
    """One life of an engine's process: begun, first scraped (its port opens once the model is loaded), given work."""

    started_at: datetime
    scraped_from: datetime
    ready_from: datetime
    ready_until: datetime = ALWAYS


@dataclass(frozen=True)
class Pod:
    """A pod, the GPUs that it holds, and the runs of its engine, oldest first."""

    name: str
    uid: str
    address: str
    gpus: tuple[int, ...]
    held_from: datetime
    held_until: datetime
    runs: tuple[Run, ...]

    def holds(self, moment: datetime) -> bool:
        """Whether it has its GPUs then."""
        return self.held_from <= moment < self.held_until

    def is_ready(self, start: datetime, end: datetime) -> bool:
        """Whether its engine is given a request that takes from `start` to `end`."""
        return any(run.ready_from <= start and end < run.ready_until for run in self.runs)

    def run_at(self, moment: datetime) -> Run | None:
        """The run that answers a scrape then; None while nothing does."""
        begun = [run for run in self.runs if run.started_at <= moment]
        return begun[-1] if self.holds(moment) and begun and begun[-1].scraped_from <= moment else None

    def held_seconds(self, start: datetime, end: datetime) -> int:
        """GPU seconds that it holds within `[start, end)`."""
        held = min(self.held_until, end) - max(self.held_from, start)
        return max(held // timedelta(seconds=1), 0) * len(self.gpus)


def _pod(number: int, gpus: tuple[int, ...], held_from: datetime, held_until: datetime, *runs: Run) -> Pod:
    uid = f"c7d41f0{number}-6a2e-4b51-9c38-0f5e2d7a1b{number:02d}"
    return Pod(f"{DEPLOYMENT}-{number}", uid, f"10.42.3.{21 + number}:8000", gpus, held_from, held_until, runs)


_FIRST = Run(SINCE + timedelta(seconds=63), SINCE + 2 * STEP, SINCE + 2 * STEP)
FAILED = _pod(
    3,
    (6, 7),
    SINCE,
    _at("10:20:00"),
    _FIRST._replace(ready_until=_at("08:59:00")),
    Run(_at("09:03:12"), _at("09:10:00"), _at("09:10:20"), _at("09:40:00")),
)
REPLACEMENT = _pod(4, FAILED.gpus, FAILED.held_until, ALWAYS, Run(_at("10:21:48"), _at("10:30:00"), _at("10:31:30")))
PODS = (
    *(_pod(number, (2 * number, 2 * number + 1), SINCE, ALWAYS, _FIRST) for number in range(3)),
    FAILED,
    REPLACEMENT,
)


def pod_of(gpu: int, moment: datetime) -> Pod:
    """The pod that holds a GPU of the serving node then."""
    (pod,) = (pod for pod in PODS if gpu in pod.gpus and pod.holds(moment))
    return pod


def standing(days: Sequence[date]) -> list[Pod]:
    """The pods that stood on any of these days."""
    start, end = datetime.combine(days[0], time()), datetime.combine(days[-1], time()) + timedelta(days=1)
    return [pod for pod in PODS if pod.held_seconds(start, end)]
