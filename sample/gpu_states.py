"""The true state of every GPU second, from the samples as they were made.

A sample holds for five minutes. Without one the state is unknown, and the holder is who the scheduler says: the serving
cluster's is read, and its pods hold every GPU of the node all month. Without a holder the GPU is unallocated; below
five per cent for fifteen minutes on end, without a request of its engine, it idles, below eighty it is under-used. Each
hour sums to its billed seconds.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple

from sample.calls import Call, Served
from sample.company import HOSTS, SERVING, Host
from sample.exposition import STEP, STEP_SECONDS
from sample.gpus import Sample
from sample.pods import NAMESPACE

IDLE_BELOW, EFFECTIVE_FROM = 50_000, 800_000
IDLE_SECONDS = 900


class Held(NamedTuple):
    """A state, and the namespace that held the GPU (empty when none did or nobody knows)."""

    namespace: str
    state: str


StateSeconds = Mapping[tuple[Host, datetime], Counter[Held]]


def state_seconds(samples: Mapping[tuple[Host, date], Sequence[Sample]], served: Served) -> StateSeconds:
    """Seconds by node and hour, summed over its GPUs."""
    busy = {(pod.name, at) for pod, calls in served.items() for call in calls for at in _steps(call)}
    found: dict[tuple[Host, datetime], Counter[Held]] = defaultdict(Counter)
    for host in HOSTS:
        days = [day for other, day in samples if other == host]
        for gpu in range(host.gpus):
            for at, held in _states([(day, s) for day in days for s in samples[host, day] if s.gpu == gpu], busy):
                found[host, at.replace(minute=0)][held] += STEP_SECONDS
        for hour in (datetime.combine(day, time()) + timedelta(hours=n) for day in days for n in range(24)):
            missing = 3600 * host.gpus - found[host, hour].total()
            if missing:
                found[host, hour][Held(NAMESPACE if host is SERVING else "", "unknown")] += missing
    return found


def _steps(call: Call) -> Iterator[datetime]:
    """The steps of the day in which it ran."""
    at = call.started_at - (call.started_at - datetime.combine(call.started_at, time())) % STEP
    while at <= call.ended_at:
        yield at
        at += STEP


def _states(
    samples: Sequence[tuple[date, Sample]], busy: Container[tuple[str, datetime]]
) -> Iterator[tuple[datetime, Held]]:
    """The state of each sample of one GPU. Runs of low activity end at a gap, at a change of holder, with a request."""
    midnight = {day: datetime.combine(day, time()) for day in {day for day, _ in samples}}
    moments = [(midnight[day] + timedelta(seconds=s.step * STEP_SECONDS), s) for day, s in samples]
    numbered = [(at - timedelta(seconds=STEP_SECONDS * i), at, s) for i, (at, s) in enumerate(moments)]
    for _, run in groupby(numbered, key=lambda entry: (entry[0], entry[2].holder, _level(entry[1], entry[2], busy))):
        entries = list(run)
        is_long = len(entries) * STEP_SECONDS >= IDLE_SECONDS
        for _, at, sample in entries:
            level = _level(at, sample, busy)
            state = ("allocated_idle" if is_long else "under_used") if level == "low" else level
            yield at, Held(sample.holder[0] if sample.holder else "", state)


def _level(at: datetime, sample: Sample, busy: Container[tuple[str, datetime]]) -> str:
    if sample.holder is None:
        return "unallocated"
    if sample.activity < IDLE_BELOW:
        return "under_used" if (sample.holder[1], at) in busy else "low"
    return "effective" if sample.activity >= EFFECTIVE_FROM else "under_used"
