"""Readings gathered into series: one for each set of labels, sorted by time; copies put away, parts joined.

Here belongs: which series are the same counter. Here does not belong: what a counter rose by.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.serving.labels import Origin, Subject

Process = tuple[str, str, str]
Counter = tuple[str, tuple[tuple[str, str], ...]]  # what is counted, and the labels that tell counters apart


Place = tuple[str, int]  # where a reading stands: the page, and its line or the ordinal of its value


@dataclass(eq=False)
class Series:
    """The readings of one set of labels, in the order in which they came; `places` are those of its subject."""

    origin: Origin
    places: dict[int, Place]
    instants: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def points(self) -> dict[int, float]:
        """Values by millisecond, oldest first. Of two values for one instant the higher one."""
        found = dict[int, float]()
        for instant, value in sorted(zip(self.instants, self.values, strict=True)):
            found[instant] = value
        return found


@dataclass
class Chain:
    """One counter or gauge over the time for which it is known. `variant` are the labels that are new to us."""

    counted: tuple[tuple[str, str], ...]
    variant: tuple[tuple[str, str], ...]
    copy: tuple[str, ...]
    points: dict[int, float]

    @property
    def first(self) -> int:
        """Its first instant."""
        return next(iter(self.points))

    @property
    def last(self) -> int:
        """Its last instant."""
        return next(reversed(self.points))

    def overlaps(self, other: "Chain") -> bool:
        """Whether both were there at the same time."""
        return self.first <= other.last and other.first <= self.last


@dataclass
class Gathered:
    """Everything that one parse read."""

    series: dict[Origin, Series] = field(default_factory=dict[Origin, Series])
    starts: dict[Process, dict[int, int]] = field(default_factory=dict[Process, dict[int, int]])
    places: dict[Subject, dict[int, Place]] = field(default_factory=dict[Subject, dict[int, Place]])

    def series_of(self, origin: Origin) -> Series:
        """The series of these labels, begun where it is new."""
        found = self.series.get(origin)
        if found is None:
            places = {} if origin.subject is None else self.places.setdefault(origin.subject, {})
            found = self.series[origin] = Series(origin, places)
        return found

    def put(self, series: Series, millisecond: int, value: float, page_id: str, row: int) -> None:
        """Takes a reading."""
        origin = series.origin
        if origin.subject is None:
            self.starts.setdefault(origin.process, {})[millisecond] = min(round(value * 1000), millisecond)
            return
        series.instants.append(millisecond)
        series.values.append(value / origin.metric.per)
        places = series.places
        before = places.get(millisecond)
        if before is None or (page_id, row) < before:
            places[millisecond] = (page_id, row)

    def instants(self) -> dict[Process, list[int]]:
        """When each process was read, oldest first."""
        found = dict[Process, set[int]]()
        for origin, series in self.series.items():
            found.setdefault(origin.process, set()).update(series.instants)
        return {process: sorted(instants) for process, instants in found.items()}

    def by_subject(self) -> Mapping[Subject, list[Series]]:
        """The series that hold something, by whom they are of."""
        found = dict[Subject, list[Series]]()
        for origin, series in self.series.items():
            if origin.subject is not None and series.instants:
                found.setdefault(origin.subject, []).append(series)
        return found


def chains(series: Sequence[Series]) -> tuple[dict[str, list[Chain]], int]:
    """The counters and gauges of one subject, by what they count; and how many series were copies of others.

    Of ranks that work on the same tokens the lowest is taken. The same labels twice at a time, but for the scraper's
    own, are copies: the longer one is taken. What ends before the other begins is the same counter under new labels.
    """
    by_counter = dict[Counter, list[Series]]()
    for one in series:
        by_counter.setdefault((one.origin.metric.counts, one.origin.counted), []).append(one)
    found, copy_count = dict[str, list[Chain]](), 0
    for (counts, _), same in sorted(by_counter.items()):
        lowest = min(_numbers(one.origin.ranks) for one in same)
        parts = [_chain(one) for one in same if _numbers(one.origin.ranks) == lowest]
        kept = list[Chain]()
        for part in sorted(parts, key=lambda chain: (-len(chain.points), chain.first, chain.copy)):
            if any(part.overlaps(k) and part.variant == k.variant and part.copy != k.copy for k in kept):
                copy_count += 1
            else:
                kept.append(part)
        found.setdefault(counts, []).extend(_joined(kept))
    return found, copy_count


def _chain(series: Series) -> Chain:
    return Chain(series.origin.counted, series.origin.new_labels, series.origin.copy, series.points())


def _joined(parts: list[Chain]) -> list[Chain]:
    joined = list[Chain]()
    for part in sorted(parts, key=lambda chain: (chain.first, chain.variant, chain.copy)):
        free = [chain for chain in joined if chain.last < part.first]
        home = next((chain for chain in free if chain.variant == part.variant), free[0] if free else None)
        if home is None:
            joined.append(part)
        else:
            home.points.update(part.points)
            home.variant = part.variant
    return joined


def _numbers(ranks: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Ranks in the order of their numbers."""
    return tuple((len(rank), rank) for rank in ranks)
