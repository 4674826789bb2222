"""Samples while pages are read: for each series, the instants at which it stood at a value, and where that is written.

Here belongs: keeping many samples small. Here does not belong: what a series means, and intervals (stretches).
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from connectors.base import LandedPage, Reject, Window
from connectors.prometheus import PrometheusSettings, Reader, Reading, Refusals, milliseconds, read_page

ROW_BITS = 40
ROW_MASK = (1 << ROW_BITS) - 1
MOST_COUNTED = 1_000_000  # tells a count of GPUs or cores from garbage
MOST_BYTES = 1 << 50  # and a machine's memory


@dataclass
class Marks:
    """Instants in milliseconds, and beside each its place: `page number << ROW_BITS | row`."""

    instants: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("q"))

    def in_order(self) -> Iterator[tuple[int, int]]:
        """Instants with their places, oldest first, each instant once: as the first page has it."""
        before = None
        for instant, place in sorted(zip(self.instants, self.places, strict=True)):
            if instant != before:
                yield instant, place
            before = instant


@dataclass
class Labelled:
    """One set of labels, and the marks of each metric and value that it carried."""

    labels: Mapping[str, str]
    marks: dict[tuple[str, float], Marks] = field(default_factory=dict)

    def at(self, metric: str, value: float) -> Marks:
        """The marks of that metric at that value."""
        marks = self.marks.get((metric, value))
        if marks is None:
            marks = self.marks[metric, value] = Marks()
        return marks


IGNORED = Labelled({})
"""Stands for every set of labels that is not wanted."""


@dataclass
class Seen:
    """Everything that was read of a window."""

    labelled: list[Labelled]
    page_ids: list[str]
    rejects: tuple[Reject, ...]
    beat: int
    """Milliseconds from one sample to the next, where none is missing."""
    instants: list[int]
    """When the source said anything at all, in order."""

    def page_and_row(self, place: int) -> tuple[str, int]:
        """What rows carry as `x_page` and `x_row`."""
        return self.page_ids[place >> ROW_BITS], place & ROW_MASK


def read_window(
    settings: PrometheusSettings, window: Window, pages: Iterable[LandedPage], reader: Reader[Labelled]
) -> Seen:
    """Reads all pages of a window. Subjects that are `IGNORED` are not kept.

    Raises IncompleteDeliveryError and SourceError as pages do.
    """
    found: dict[int, Labelled] = {}
    page_ids: list[str] = []
    rejects: list[Reject] = []
    for number, page in enumerate(sorted(pages, key=lambda landed: landed.digest)):
        refusals = Refusals(page.page_id)
        for reading in _inside(read_page(settings, page, reader, refusals), window, refusals):
            found[id(reading.subject)] = reading.subject
            marks = reading.subject.at(reading.metric, reading.value)
            marks.instants.append(reading.millisecond)
            marks.places.append(number << ROW_BITS | reading.row)
        refusals.finish()
        page_ids.append(page.page_id)
        rejects += refusals.rejects
    labelled = list(found.values())
    instants = sorted({at for one in labelled for marks in one.marks.values() for at in marks.instants})
    step = settings.step_seconds * 1000
    return Seen(
        labelled, page_ids, tuple(rejects), step if settings.scrapes is None else _beat(labelled, step), instants
    )


def _inside(readings: Iterable[Reading[Labelled]], window: Window, refusals: Refusals) -> Iterator[Reading[Labelled]]:
    """The readings that are wanted, lie in the window and count something; the others are refused, if wanted."""
    first, end = milliseconds(window.start), milliseconds(window.end)
    outside: set[int] = set()
    for reading in readings:
        if reading.subject is IGNORED:
            continue
        if not first <= reading.millisecond < end:
            if reading.millisecond not in outside:  # once for an instant of a page, whatever the number of series
                refusals.refuse_instant(reading)
            outside.add(reading.millisecond)
        elif not 0.0 <= reading.value <= _most(reading.subject):
            detail = f"{reading.text} is no count: expected 0 to {_most(reading.subject):,}. The sample is left out."
            refusals.refuse(reading.row, "out_of_range", detail, reading.payload)
        else:
            yield reading


def _most(subject: Labelled) -> int:
    return MOST_BYTES if subject.labels.get("unit") == "byte" else MOST_COUNTED


def _beat(labelled: list[Labelled], otherwise: int) -> int:
    """How far apart scrapes are: the median distance in the series that was seen most often."""
    seen = [marks.instants for one in labelled for marks in one.marks.values()]
    instants = sorted(set(max(seen, key=len, default=array("q"))))
    return round(median(b - a for a, b in pairwise(instants))) if len(instants) > 1 else otherwise
