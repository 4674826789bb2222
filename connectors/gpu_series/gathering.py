"""Puts series together into samples: one for an instant, GPU and holder, whichever pages its metrics came in.

Here belongs: what several series about one sample mean together, what is refused, what is told. Here does not belong:
whose series it is (each cloud's folder), and Arrow (`rows`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from connectors.base import CHUNK_ROWS, Parsed, Reject, SourceSettings, Window
from connectors.exact import json_text, read_time
from connectors.gathered import printable_line
from connectors.gpu_series.rows import EXTRA, FIRST_VALUE, PLACE, Sample, Staged, table
from connectors.gpu_series.series import Gpu, Metric, Place, Series
from connectors.prometheus.readings import milliseconds
from connectors.prometheus.refusals import Refusals
from connectors.wording import first_of

Extra = tuple[tuple[str, str], ...]


class Samples:
    """The samples of one delivery. Feed pages in an order that does not depend on their names.

    Args:
        settings: Name the source, and the cluster by their account.
        window: Readings outside of it are refused.
        metrics: All that a series may have.
        shift: Added to each instant: a service may name a stretch by its end, and a sample begins it.
    """

    def __init__(
        self, settings: SourceSettings, window: Window, metrics: Iterable[Metric], shift: timedelta | None = None
    ) -> None:
        self._settings, self._window = settings, window
        self._slots = {name: slot for slot, name in enumerate(dict.fromkeys(metric.name for metric in metrics))}
        self._shift = shift or timedelta()
        self._bounds = (milliseconds(window.start), milliseconds(window.end))
        self._samples: dict[Gpu, dict[int, Sample]] = {}
        self._places: dict[Place, Place] = {}
        self._extras: dict[Extra, Extra] = {}
        self._instants: dict[Any, int | None] = {}
        self._new_labels: set[str] = set()
        self._rejects: list[Reject] = []
        self._contradiction_count = 0
        self._told: Counter[str] = Counter()

    def add_page(self, page_id: str, series: Iterable[Series]) -> None:
        """Takes a page's series. Rows are the ordinals of their points in the page, from 1."""
        refusals, row = Refusals(page_id), 0
        for one in series:
            row = self._add(one, row, refusals)
        refusals.finish()
        self._rejects += refusals.rejects

    def note(self, words: str) -> None:
        """Counts what people should know of a series; `words` are told with their number."""
        self._told[words] += 1

    def chunks(self, notices: Sequence[str] = ()) -> Iterator[Parsed]:
        """Everything, in bounded chunks; the last one holds what is to be told."""
        flat = ((gpu, at, sample) for gpu, samples in self._samples.items() for at, sample in samples.items())
        parsed = self._chunk([])
        while rows := list(islice(flat, CHUNK_ROWS)):
            if parsed.rows.num_rows:
                yield parsed
            parsed = self._chunk(rows)
        yield replace(parsed, rejects=tuple(self._rejects), notices=(*notices, *self._notices()))

    def _chunk(self, rows: list[Staged]) -> Parsed:
        return Parsed(table(rows, list(self._slots), self._settings, self._window))

    def _add(self, series: Series, row: int, refusals: Refusals) -> int:
        """Takes one series; the ordinal of its last point."""
        name, highest, divisor = series.metric
        slot = FIRST_VALUE + self._slots[name]
        place = self._places.setdefault(series.place, series.place)
        extra: Extra = tuple(sorted(series.extra.items()))
        extra = self._extras.setdefault(extra, extra)
        samples = self._samples.setdefault(series.gpu, {})
        self._new_labels.update(series.new_labels)
        for at, told in series.points:
            row += 1
            instant = self._instant(at)
            value = _number(told)
            if instant is None or value is None:
                self._refuse_point(series, (at, told), row, refusals)
                continue
            sample = samples.get(instant)
            if sample is None:
                sample = samples[instant] = [refusals.page_id, row, place, extra, *(None for _ in self._slots)]
            elif sample[EXTRA] is not extra or sample[PLACE] is not place:
                self._merge(sample, place, extra)
            if not 0.0 <= value <= highest:
                detail = f"{told} is no reading: expected 0 to {highest:g}. The sample is kept without it."
                refusals.refuse(row, "out_of_range", detail, _payload(series, at, told), name)
                continue
            value /= divisor
            if sample[slot] is not None and sample[slot] != value:
                self._contradiction_count += 1
                value = max(sample[slot], value)
            sample[slot] = value
        if not samples:
            del self._samples[series.gpu]
        return row

    def _merge(self, sample: Sample, place: Place, extra: Extra) -> None:
        """Two services, or two namespaces of one, name the same GPU: what one does not know, the other may."""
        known = {name: value for name, value in sample[PLACE]._asdict().items() if value is not None}
        filled = place._replace(**known)
        sample[PLACE] = self._places.setdefault(filled, filled)
        both = tuple(sorted({**dict(extra), **dict(sample[EXTRA])}.items()))
        sample[EXTRA] = self._extras.setdefault(both, both)

    def _instant(self, at: Any) -> int | None:
        """Milliseconds since 1970 of an instant within the window, else None. Series share their instants."""
        try:
            return self._instants[at]
        except (KeyError, TypeError):  # new, or nothing that could be an instant
            found = read_time(at) if isinstance(at, str) else None
        instant = None if found is None else milliseconds(found + self._shift)
        if instant is not None and not self._bounds[0] <= instant < self._bounds[1]:
            instant = None
        if found is not None:
            self._instants[at] = instant
        return instant

    def _refuse_point(self, series: Series, point: tuple[Any, Any], row: int, refusals: Refusals) -> None:
        at, told = point
        if self._instant(at) is not None:
            reason, detail = "unreadable_number", f"the value is {told!r}; a number was expected"
        elif isinstance(at, str) and read_time(at) is not None:
            day = self._window.slice_date
            reason, detail = "outside_window", f"measured at {at}, which is no instant of {day} that was asked for"
        else:
            reason, detail = "unreadable_time", f"the instant is {at!r}; ISO 8601 was expected"
        refusals.refuse(row, reason, printable_line(detail), _payload(series, at, told))

    def _notices(self) -> Iterator[str]:
        if self._new_labels:
            yield f"labels that are new, kept in x_extra: {', '.join(sorted(self._new_labels))}"
        if self._contradiction_count:
            yield (
                f"{self._contradiction_count:,} readings were told twice with another value for the same GPU, holder "
                "and instant; the highest was kept"
            )
        for words, count in sorted(self._told.items()):
            yield f"{count:,} {words}"
        yield from self._without_machine()

    def _without_machine(self) -> Iterator[str]:
        """Pods whose series name no machine, and how many GPUs they hold: nothing joins them to a bill."""
        gpus = [
            gpu
            for gpu, samples in self._samples.items()
            if gpu.pod and all(s[PLACE].hostname is None and s[PLACE].instance_id is None for s in samples.values())
        ]
        if gpus:
            pods = sorted({f"{gpu.namespace}/{gpu.pod}" for gpu in gpus})
            yield (
                f"no machine is named for {first_of(pods)}, which held {len(gpus):,} GPUs: their "
                "time joins no bill and stands in gpu_unbilled; the cluster's own metrics say which node a pod is on"
            )


def _number(told: Any) -> float | None:
    if isinstance(told, bool):
        return None
    try:
        return float(told)
    except (TypeError, ValueError, OverflowError):
        return None


def _payload(series: Series, at: Any, told: Any) -> str:
    return json_text({"series": series.found, "at": at, "value": told})
