"""The true state of every GPU second, from the samples as they were made.

A sample holds for five minutes. Without one the state is unknown, and the holder is who the scheduler says: the serving
cluster's is read, and its pods hold every GPU of the node all month. Without a holder the GPU is unallocated; below
five per cent for fifteen minutes on end it idles, below eighty it is under-used. Each hour sums to its billed seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from sample.company import HOSTS, SERVING, Host
from sample.exposition import STEP_SECONDS
from sample.gpus import Sample
from sample.pods import NAMESPACE

IDLE_BELOW, EFFECTIVE_FROM = 50_000, 800_000
IDLE_SECONDS = 900


class Held(NamedTuple):
    """A state, and the namespace that held the GPU (empty when none did or nobody knows)."""

    namespace: str
    state: str


StateSeconds = Mapping[tuple[Host, datetime], Counter[Held]]


def state_seconds(samples: Mapping[tuple[Host, date], Sequence[Sample]]) -> StateSeconds:
    """Seconds by node and hour, summed over its GPUs."""
    found: dict[tuple[Host, datetime], Counter[Held]] = defaultdict(Counter)
    for host in HOSTS:
        days = [day for other, day in samples if other == host]
        for gpu in range(host.gpus):
            for at, held in _states([(day, s) for day in days for s in samples[host, day] if s.gpu == gpu]):
                found[host, at.replace(minute=0)][held] += STEP_SECONDS
        for hour in (datetime.combine(day, time()) + timedelta(hours=n) for day in days for n in range(24)):
            missing = 3600 * host.gpus - found[host, hour].total()
            if missing:
                found[host, hour][Held(NAMESPACE if host is SERVING else "", "unknown")] += missing
    return found


def _states(samples: Sequence[tuple[date, Sample]]) -> Iterator[tuple[datetime, Held]]:
    """The state of each sample of one GPU. Runs of low activity end at a gap and at a change of holder."""
    midnight = {day: datetime.combine(day, time()) for day in {day for day, _ in samples}}
    moments = [(midnight[day] + timedelta(seconds=s.step * STEP_SECONDS), s) for day, s in samples]
    numbered = [(at - timedelta(seconds=STEP_SECONDS * i), at, s) for i, (at, s) in enumerate(moments)]
    for _, run in groupby(numbered, key=lambda entry: (entry[0], entry[2].holder, _level(entry[2]))):
        entries = list(run)
        is_long = len(entries) * STEP_SECONDS >= IDLE_SECONDS
        for _, at, sample in entries:
            level = _level(sample)
            state = ("allocated_idle" if is_long else "under_used") if level == "low" else level
            yield at, Held(sample.holder[0] if sample.holder else "", state)


def _level(sample: Sample) -> str:
    if sample.holder is None:
        return "unallocated"
    if sample.activity < IDLE_BELOW:
        return "low"
    return "effective" if sample.activity >= EFFECTIVE_FROM else "under_used"
