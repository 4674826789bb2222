"""Makes stretches of time out of samples, and says what held over each.

A sample holds for one beat, the usual distance of samples. A longer silence between equal samples is bridged where
the source said nothing at all for at most five minutes: it was not asked, or did not answer. Where it spoke in between
without that series, the series was gone. A longer silence is unknown: nothing is held over it.

Here belongs: time. Here does not belong: pods and nodes.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

from connectors.kubernetes.marks import Marks

LONGEST_SILENCE_MS = 300_000
_JITTER = 1.5  # beats: scrapes are not exactly as far apart as they should be

Fact = Hashable
"""One thing that holds: an object that tells its kind and what it says."""
Kind = TypeVar("Kind")


class Stretch(NamedTuple):
    """`[start, end)` in milliseconds; where its first sample is written."""

    start: int
    end: int
    place: int


class Segment(NamedTuple):
    """A stretch over which the same facts hold."""

    start: int
    end: int
    place: int
    facts: frozenset[Fact]

    def said(self, kind: type[Kind]) -> list[Kind]:
        """The facts of that kind, in an order of their own: two exporters may say different things."""
        return sorted((fact for fact in self.facts if isinstance(fact, kind)), key=repr)


def stretches(marks: Marks, beat: int, spoken: Sequence[int]) -> list[Stretch]:
    """The stretches that a series' samples cover.

    Args:
        marks: The samples.
        beat: Usual distance of samples, in milliseconds.
        spoken: When the source said anything at all, in order.
    """
    found: list[Stretch] = []
    hold = min(beat, LONGEST_SILENCE_MS)
    last = None
    for instant, place in marks.in_order():
        if last is not None and _is_bridged(last, instant, beat, spoken):
            found[-1] = found[-1]._replace(end=instant + hold)
        else:
            found.append(Stretch(instant, instant + hold, place))
        last = instant
    return found


def segments(held: Iterable[tuple[Stretch, Fact]]) -> Iterator[Segment]:
    """The segments between changes, oldest first; neighbours that say the same are one. Over silence there is none."""
    before: Segment | None = None
    for segment in _between_changes(held):
        if before is not None and before.end == segment.start and before.facts == segment.facts:
            before = before._replace(end=segment.end)
            continue
        if before is not None:
            yield before
        before = segment
    if before is not None:
        yield before


def _between_changes(held: Iterable[tuple[Stretch, Fact]]) -> Iterator[Segment]:
    changes: dict[int, list[tuple[int, Fact, int]]] = defaultdict(list)
    for stretch, fact in held:
        changes[stretch.start].append((1, fact, stretch.place))
        changes[stretch.end].append((-1, fact, stretch.place))
    active: Counter[tuple[Fact, int]] = Counter()  # a fact can hold twice: by two exporters
    for instant, after in pairwise(sorted(changes)):
        for sign, fact, place in changes[instant]:
            active[fact, place] += sign
            if not active[fact, place]:
                del active[fact, place]
        if active:
            yield Segment(instant, after, min(place for _, place in active), frozenset(fact for fact, _ in active))


def _is_bridged(earlier: int, later: int, beat: int, spoken: Sequence[int]) -> bool:
    distance = later - earlier
    if distance > LONGEST_SILENCE_MS:
        return False
    return distance <= beat * _JITTER or spoken[bisect_right(spoken, earlier)] >= later
