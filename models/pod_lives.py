"""For how long a pod held GPUs, put together from what its cluster told, and whether its ends were seen.

A cluster is read in samples, and now and then not at all. A pod has a uid of its own and keeps its GPUs until it ends:
what lies between two intervals of one uid is a silence of who tells, and part of its life. Whatever has no uid, or may
come back under the same id as a batch job does, lives on over silences of `SILENCE` and no longer. A beginning is seen
where the cluster told of some node just before it, an end where it told of one just after.

Here belongs: lives of holders. Here does not belong: what they cost, what they did.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import polars as pl

SILENCE = timedelta(minutes=5)
"""For how long nothing need be told without anything having happened: as long as a sample of a GPU holds at most."""

_DAY = timedelta(days=1)

Row = Mapping[str, Any]


class Pod(NamedTuple):
    """A pod's name is unique in its namespace while it lives."""

    cluster: str
    namespace: str
    pod: str


class Stretch(NamedTuple):
    """A half-open interval in UTC."""

    start: datetime
    end: datetime


class Life(NamedTuple):
    """From when to when GPUs were held, and the stretches of it in which somebody said so."""

    held: Stretch
    told: tuple[Stretch, ...]


def pod_of(row: Row) -> Pod:
    """Whose row it is."""
    return Pod(row["cluster"], row["namespace"], row["pod"])


def lives(allocations: pl.DataFrame) -> dict[Pod, list[Life]]:
    """The lives of every pod, oldest first; a name that is given again has several.

    Args:
        allocations: frame in the shape of `gpu_allocations`. Its containers and sources may tell the same twice.
    """
    by_holder: dict[tuple[Pod, str, bool], list[Stretch]] = defaultdict(list)
    for row in allocations.to_dicts():
        is_one_life = row["holder_kind"] == "pod" and bool(row["allocation_id"])
        by_holder[pod_of(row), row["allocation_id"], is_one_life].append(Stretch(row["started_at"], row["ended_at"]))
    found: dict[Pod, list[Life]] = defaultdict(list)
    for (pod, _, is_one_life), intervals in by_holder.items():
        told = _joined(intervals, timedelta())
        spans = [Stretch(told[0].start, told[-1].end)] if is_one_life else _joined(told, SILENCE)
        found[pod] += [Life(span, tuple(one for one in told if span.start <= one.start < span.end)) for span in spans]
    return {pod: _apart(several) for pod, several in found.items()}


class Sight:
    """What each cluster tells of at all: its days, and its nodes where it names them."""

    def __init__(self, allocations: pl.DataFrame, sightings: pl.DataFrame) -> None:
        """Of frames in the shapes of `gpu_allocations` and `node_sightings`."""
        self._days: dict[str, set[date]] = defaultdict(set)
        for cluster, day in allocations.select("cluster", "allocation_date").unique().rows():
            self._days[cluster].add(day)
        told: dict[str, list[Stretch]] = defaultdict(list)
        for cluster, seen_from, seen_to in sightings.select("cluster", "seen_from", "seen_to").iter_rows():
            told[cluster].append(Stretch(seen_from, seen_to))
        self._told = {cluster: _joined(stretches, SILENCE) for cluster, stretches in told.items()}

    def around(self, cluster: str, day: date) -> Stretch:
        """From the day before to the day after, as far as the cluster tells of them."""
        midnight = datetime.combine(day, time())
        before, after = (beside in self._days[cluster] for beside in (day - _DAY, day + _DAY))
        return Stretch(midnight - _DAY if before else midnight, midnight + 2 * _DAY if after else midnight + _DAY)

    def begins(self, cluster: str, held: Stretch, day: date) -> bool:
        """Whether the beginning was seen, by what the days around that day tell."""
        first = self.around(cluster, day).start
        return self._is_told(cluster, lambda told: told.start < held.start <= told.end + SILENCE) and (
            held.start > first + SILENCE
        )

    def ends(self, cluster: str, held: Stretch, day: date) -> bool:
        """Whether the end was seen, likewise."""
        last = self.around(cluster, day).end
        return self._is_told(cluster, lambda told: told.start - SILENCE <= held.end < told.end) and (
            held.end < last - SILENCE
        )

    def _is_told(self, cluster: str, holds: Callable[[Stretch], bool]) -> bool:
        """A cluster that names no nodes says nothing of its silences."""
        told = self._told.get(cluster)
        return told is None or any(holds(one) for one in told)


def _joined(intervals: Iterable[Stretch], silence: timedelta) -> list[Stretch]:
    """Intervals that overlap, touch or lie no further apart than that, as one."""
    joined: list[Stretch] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1].end + silence:
            joined[-1] = Stretch(joined[-1].start, max(end, joined[-1].end))
        else:
            joined.append(Stretch(start, end))
    return joined


def _apart(found: Sequence[Life]) -> list[Life]:
    """Lives of one name that run at the same time are one, told of under two ids."""
    apart: list[Life] = []
    for life in sorted(found):
        if apart and life.held.start < apart[-1].held.end:
            held = Stretch(apart[-1].held.start, max(life.held.end, apart[-1].held.end))
            apart[-1] = Life(held, tuple(_joined([*apart[-1].told, *life.told], timedelta())))
        else:
            apart.append(life)
    return apart
