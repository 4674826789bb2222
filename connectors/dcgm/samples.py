"""Puts readings together into samples: one per instant, GPU or MIG instance, and holder.

Here belongs: what several lines about one sample mean together, what is refused, what is told. Here does not belong:
how lines or answers are written down (`connectors.prometheus`), and Arrow (batch).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Window
from connectors.dcgm.labels import LabelRules, Place, Subject, read_labels, unknown_labels
from connectors.dcgm.metrics import COLUMNS, METRICS, Metric, is_blank
from connectors.prometheus import Reading, Refusals, milliseconds

MOST_UNKNOWN = 20  # metrics new to us that are kept; a page of something else altogether has thousands
INSTANT_BITS = 45  # milliseconds since 1970, until the year 3084
INSTANT_MASK = (1 << INSTANT_BITS) - 1

# A sample while it is put together: [row in its page, extra, number of its place, one value per column of COLUMNS].
# A list, because there are hundreds of thousands of them and each is written to ten times.
Sample = list[Any]
ROW, EXTRA, PLACE, FIRST_VALUE = range(4)
_EMPTY: Sample = [None] * (FIRST_VALUE + len(COLUMNS))


@dataclass(frozen=True)
class Known:
    """What a set of labels says: its GPU, numbers of its subject and place, and the labels that are new."""

    gpu_uuid: str
    subject: int
    place: int
    extra: Mapping[str, str]


@dataclass
class Subjects:
    """Every subject and place met in one parse, numbered. A GPU may change its node or MIG profile within a day."""

    rules: LabelRules
    subjects: dict[Subject, int] = field(default_factory=dict)
    places: dict[Place, int] = field(default_factory=dict)
    unknown_labels: set[str] = field(default_factory=set)

    def learn(self, labels: Mapping[str, str]) -> Known:
        """Numbers what the labels say. Raises UnreadableError where they name no GPU."""
        subject, place = read_labels(labels, self.rules)
        extra = unknown_labels(labels)
        self.unknown_labels |= extra.keys()
        return Known(
            subject.gpu_uuid,
            self.subjects.setdefault(subject, len(self.subjects)),
            self.places.setdefault(place, len(self.places)),
            extra,
        )


@dataclass
class PageSamples:
    """The samples of one page while it is read. Keys are `subject << INSTANT_BITS | milliseconds`."""

    refusals: Refusals
    first_millisecond: int
    end_millisecond: int
    samples: dict[int, Sample] = field(default_factory=dict)
    contradiction_count: int = 0
    unknown_metrics: set[str] = field(default_factory=set)
    _outside: set[tuple[int, int]] = field(default_factory=set)

    def put(self, reading: Reading[Known]) -> None:
        """Takes one reading."""
        metric = METRICS.get(reading.metric)
        if metric is None:
            self._put_unknown(reading)
        elif (sample := self._sample(reading)) is not None:
            self._put_known(sample, metric, reading)

    def _put_known(self, sample: Sample, metric: Metric, reading: Reading[Known]) -> None:
        value = reading.value
        if not 0.0 <= value <= metric.highest:
            if not is_blank(value):
                detail = (
                    f"{reading.metric} of {reading.subject.gpu_uuid} is {value:g}, which is no reading: expected 0 to "
                    f"{metric.highest:g}. The sample is kept without it."
                )
                self.refusals.refuse(reading.row, "out_of_range", detail, reading.payload, COLUMNS[metric.slot])
            return
        value /= metric.divisor
        slot = FIRST_VALUE + metric.slot
        before = sample[slot]
        if before is None:
            sample[slot] = value
        elif before != value:
            self.contradiction_count += 1
            sample[slot] = max(before, value)

    def _put_unknown(self, reading: Reading[Known]) -> None:
        """Keeps the value of a metric that has no column, as it came."""
        if reading.metric not in self.unknown_metrics and len(self.unknown_metrics) >= MOST_UNKNOWN:
            return
        self.unknown_metrics.add(reading.metric)
        if (sample := self._sample(reading)) is not None:
            sample[EXTRA] = {**(sample[EXTRA] or {}), reading.metric: reading.text}

    def _sample(self, reading: Reading[Known]) -> Sample | None:
        """The sample of that subject at that instant, begun where it is new; None outside of the window."""
        known, millisecond = reading.subject, reading.millisecond
        if not self.first_millisecond <= millisecond < self.end_millisecond:
            self._refuse_instant(reading)
            return None
        key = known.subject << INSTANT_BITS | millisecond
        sample = self.samples.get(key)
        if sample is None:
            sample = self.samples[key] = _EMPTY.copy()
            sample[ROW], sample[PLACE] = reading.row, known.place
        if known.extra:
            sample[EXTRA] = {**(sample[EXTRA] or {}), **known.extra}
        return sample

    def _refuse_instant(self, reading: Reading[Known]) -> None:
        """Once for a sample, whatever the number of its readings."""
        subject, millisecond = reading.subject.subject, reading.millisecond
        if (subject, millisecond) in self._outside:
            return
        self._outside.add((subject, millisecond))
        self.refusals.refuse_instant(reading)


def open_page(page_id: str, window: Window) -> PageSamples:
    """An empty page of samples that takes those of the window."""
    return PageSamples(Refusals(page_id), milliseconds(window.start), milliseconds(window.end))


def fold_devices(samples: dict[int, Sample], subjects: list[Subject]) -> int:
    """Folds a device's own row into its holders' rows of the same instant, and removes it.

    With time-slicing the exporter writes a row for the device beside one for each pod. Left alone it would read as a
    GPU that nobody holds. A holder keeps its own values and takes the device's where it has none.

    Returns how many rows were folded.
    """
    holders: dict[tuple[str, str, int], list[int]] = {}
    alone: list[tuple[tuple[str, str, int], int]] = []
    for key in samples:
        subject = subjects[key >> INSTANT_BITS]
        at = (subject.gpu_uuid, subject.gpu_instance_id, key & INSTANT_MASK)
        if subject.namespace or subject.pod or subject.container:
            holders.setdefault(at, []).append(key)
        else:
            alone.append((at, key))
    folded = [(key, holders[at]) for at, key in alone if at in holders]
    for key, held in folded:
        device = samples.pop(key)
        for holder in held:
            sample = samples[holder]
            sample[EXTRA] = {**(device[EXTRA] or {}), **(sample[EXTRA] or {})} or None
            sample[FIRST_VALUE:] = [
                b if a is None else a for a, b in zip(sample[FIRST_VALUE:], device[FIRST_VALUE:], strict=True)
            ]
    return len(folded)
