"""Makes stretches of time out of samples, and says what held over each.

A sample holds for one beat, the usual distance of samples, or until the source speaks again. A longer silence between
equal samples is bridged where the source said nothing at all for at most five minutes: it was not asked, or did not
answer. Where it spoke in between without that series, the series was gone. A longer silence is unknown: nothing is
held over it.

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


Held = tuple[Stretch, Fact]


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
        marks: The samples, at least one.
        beat: Usual distance of samples, in milliseconds.
        spoken: When the source said anything at all, in order.
    """
    found: list[Stretch] = []
    hold = min(beat, LONGEST_SILENCE_MS)
    samples = marks.in_order()
    start, begun_at = next(samples)
    last = start
    for instant, place in samples:
        if not _is_bridged(last, instant, beat, spoken):
            found.append(Stretch(start, _end(last, hold, spoken), begun_at))
            start, begun_at = instant, place
        last = instant
    return [*found, Stretch(start, _end(last, hold, spoken), begun_at)]


def segments(held: Iterable[Held], beside: Iterable[Held] = ()) -> Iterator[Segment]:
    """The segments between changes, oldest first; neighbours that say the same are one.

    Args:
        held: What makes segments: over its silence there is none. A segment's place is that of its earliest stretch.
        beside: What is also said, where something is held.
    """
    before: Segment | None = None
    for segment in _between_changes(held, beside):
        if before is not None and before.end == segment.start and before.facts == segment.facts:
            before = before._replace(end=segment.end)
            continue
        if before is not None:
            yield before
        before = segment
    if before is not None:
        yield before


def _between_changes(held: Iterable[Held], beside: Iterable[Held]) -> Iterator[Segment]:
    changes: dict[int, list[tuple[int, tuple[Stretch, Fact, bool]]]] = defaultdict(list)
    for pairs, is_origin in ((held, True), (beside, False)):
        for stretch, fact in pairs:
            changes[stretch.start].append((1, (stretch, fact, is_origin)))
            changes[stretch.end].append((-1, (stretch, fact, is_origin)))
    active: Counter[tuple[Stretch, Fact, bool]] = Counter()
    for instant, after in pairwise(sorted(changes)):
        for sign, key in changes[instant]:
            active[key] += sign
            if not active[key]:
                del active[key]
        if origins := [stretch for stretch, _, is_origin in active if is_origin]:
            yield Segment(instant, after, min(origins).place, frozenset(fact for _, fact, _ in active))


def _end(last: int, hold: int, spoken: Sequence[int]) -> int:
    """A sample holds until the source speaks again without it: scrapes can be nearer to one another than usual."""
    after = bisect_right(spoken, last)
    return min(last + hold, spoken[after]) if after < len(spoken) else last + hold


def _is_bridged(earlier: int, later: int, beat: int, spoken: Sequence[int]) -> bool:
    distance = later - earlier
    if distance > LONGEST_SILENCE_MS:
        return False
    return distance <= beat * _JITTER or spoken[bisect_right(spoken, earlier)] >= later
