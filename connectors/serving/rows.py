"""Engines' intervals as rows of `serving_counters`, and what people should know of the delivery.

Here belongs: the fact's columns. Here does not belong: reading, and arithmetic over time.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import pyarrow as pa

from connectors.base import CHUNK_ROWS, Parsed, Reject, Window
from connectors.exact import json_text
from connectors.prometheus import milliseconds
from connectors.serving.intervals import Interval, Span, intervals_of
from connectors.serving.labels import Subject
from connectors.serving.metrics import COUNTED_BESIDE
from connectors.serving.rises import History
from connectors.serving.series import Gathered, Series, chains
from connectors.serving.settings import REACH, ServingSettings
from contracts import contract

Told = TypeVar("Told")
_TOLD = {
    "copies": "series were copies of others, by another scraper of the same engine: the longer ones were taken",
    "contradicted": "intervals counted more cached tokens than tokens of prompts: the first number is kept in x_extra",
    "shared": "intervals have a part of what was counted between two samples that the interval's end lies between: it "
    "was shared by time",
    "restarts": "restarts of engines lie in the day: what was counted between the last sample and a restart is lost",
    "late": "engines came into sight within the day and do not say since when they run: what they counted before lacks",
    "old": "counters came into sight late in engines that ran: what they had counted before lacks",
    "nameless": "engines do not name their model: set 'models', with a pattern of NAMESPACE/POD",
}


@dataclass
class Rows:
    """The rows of one window, subject by subject."""

    settings: ServingSettings
    window: Window
    gathered: Gathered
    told: Counter[str] = field(default_factory=Counter[str])
    new_labels: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self._instants = self.gathered.instants()

    def parsed(self, rejects: Sequence[Reject]) -> Iterator[Parsed]:
        """Every row, in chunks."""
        by_subject = self.gathered.by_subject()
        ports = Counter(subject._replace(port="") for subject in by_subject)
        rows = list[dict[str, Any]]()
        for subject, series in sorted(by_subject.items()):
            rows += self._subject_rows(subject, series, has_twins=ports[subject._replace(port="")] > 1)
        schema = contract("serving_counters").arrow_schema()
        for first in range(0, max(len(rows), 1), CHUNK_ROWS):
            yield Parsed(
                rows=pa.Table.from_pylist(rows[first : first + CHUNK_ROWS], schema=schema),
                rejects=tuple(rejects) if first == 0 else (),
                notices=tuple(self._notices()) if first == 0 else (),
            )

    def _subject_rows(self, subject: Subject, series: Sequence[Series], *, has_twins: bool) -> Iterator[dict[str, Any]]:
        found, copy_count = chains(series)
        process, span = series[0].origin.process, self._span()
        since = self._start_ms - round(REACH.total_seconds() * 1000)
        history = History(self._instants[process], self.gathered.starts.get(process, {}), since)
        by_interval, old_count = intervals_of(found, history, span)
        self.told["old"] += old_count
        labels = {name: value for one in series for name, value in one.origin.new_labels}
        self.new_labels |= labels.keys()
        self._tell(subject, by_interval, history, copy_count)
        places = _ByTime(self.gathered.places[subject])
        starts = _Starts(history.starts)
        same = {
            "cluster": self.settings.account,
            "hostname": max(series, key=lambda one: max(one.instants)).origin.hostname,
            "namespace": subject.namespace,
            "pod": subject.pod,
            "engine_name": subject.engine,
            "engine_replica": f"{subject.replica}:{subject.port}" if has_twins else subject.replica,
            "model_name": subject.model,
            "x_source": self.settings.name,
            "x_slice_date": self.window.slice_date,
        }
        for beginning, interval in sorted(by_interval.items()):
            page_id, row = places.first_from(beginning)
            started = starts.told_for(beginning + span.length)
            yield {
                **same,
                **self._interval_columns(interval, labels),
                "usage_date": self.window.slice_date,
                "interval_start": _instant(beginning),
                "interval_end": _instant(beginning + span.length),
                "engine_started_at": None if started is None else _instant(started),
                "x_page": page_id,
                "x_row": row,
            }

    def _interval_columns(self, interval: Interval, labels: Mapping[str, str]) -> dict[str, Any]:
        counts, highest = interval.counts, interval.highest
        counted = _columns(counts)
        beside: dict[str, Any] = {name: _plain(counts[name]) for name in COUNTED_BESIDE if name in counts}
        if "kv_cache_ratio" in highest:
            beside["kv_cache_ratio_max"] = highest["kv_cache_ratio"]
        cached, prompt = counted["cached_tokens"], counted["prompt_tokens"]
        if cached is not None and prompt is not None and cached > prompt:
            counted["cached_tokens"], beside["cached_tokens"] = None, cached
            self.told["contradicted"] += 1
        beside |= {**labels, **({"shared_by_time": True} if interval.is_shared else {})}
        return {
            **counted,
            "running_requests_max": highest.get("running_requests"),
            "waiting_requests_max": highest.get("waiting_requests"),
            "sample_count": interval.sample_count,
            "covered_seconds": round(interval.covered_ms / 1000),
            "reset_count": len(interval.restarts),
            "x_extra": json_text(beside) if beside else None,
        }

    @property
    def _start_ms(self) -> int:
        return milliseconds(self.window.start)

    def _span(self) -> Span:
        length, gap = self.settings.interval_seconds * 1000, self.settings.max_gap_seconds * 1000
        return Span(self._start_ms, milliseconds(self.window.end), length, gap)

    def _tell(self, subject: Subject, by_interval: Mapping[int, Interval], history: History, copy_count: int) -> None:
        if not by_interval:
            return
        self.told["copies"] += copy_count
        self.told["nameless"] += not subject.model
        self.told["restarts"] += sum(len(interval.restarts) for interval in by_interval.values())
        self.told["shared"] += sum(interval.is_shared for interval in by_interval.values())
        first = history.instants[0]
        is_late = first > self._start_ms + self.settings.max_gap_seconds * 1000
        self.told["late"] += is_late and first not in history.starts

    def _notices(self) -> Iterator[str]:
        for name, words in _TOLD.items():
            if self.told[name]:
                yield f"{self.told[name]:,} {words}"
        if self.new_labels:
            yield f"labels that are new, kept in x_extra: {', '.join(sorted(self.new_labels))}"


def _columns(counts: Mapping[str, float]) -> dict[str, Any]:
    """The fact's counters. What the engine does not count is NULL."""
    cached = counts.get("cached_tokens_by_source", counts.get("cached_tokens"))
    if cached is None and "all_tokens_by_source" in counts:
        cached = 0.0
    prompt, generated = counts.get("prompt_tokens"), counts.get("generated_tokens")
    if prompt is None and "realtime_prefill_compute_tokens" in counts:
        cached = counts.get("realtime_prefill_cache_tokens", cached)
        prompt = counts["realtime_prefill_compute_tokens"] + (cached or 0.0)
    aborted = counts.get("aborted_requests", 0.0 if "told_aborted_requests" in counts else None)
    return {
        "prompt_tokens": _whole(prompt),
        "cached_tokens": _whole(cached),
        "generated_tokens": _whole(counts.get("realtime_decode_tokens") if generated is None else generated),
        "finished_requests": _whole(counts.get("finished_requests")),
        "aborted_requests": _whole(aborted),
        "prefill_seconds": counts.get("prefill_seconds"),
        "decode_seconds": counts.get("decode_seconds"),
    }


class _ByTime(Generic[Told]):
    """What was told at some instants."""

    def __init__(self, found: Mapping[int, Told]) -> None:
        self._found = found
        self._instants = sorted(found)

    def first_from(self, instant: int) -> Told:
        """What was told first at the instant or later; where nothing was, what was told last."""
        return self._found[self._instants[min(bisect_left(self._instants, instant), len(self._instants) - 1)]]

    def last_until(self, instant: int) -> Told | None:
        """What was told last, up to the instant."""
        place = bisect_right(self._instants, instant)
        return self._found[self._instants[place - 1]] if place else None


class _Starts(_ByTime[int]):
    """When a process began, as told at some instants."""

    def told_for(self, end: int) -> int | None:
        """The start that holds for what ends then: what lies before the first reading is of its process."""
        told = self.last_until(end)
        if told is None and self._instants and (first := self._found[self._instants[0]]) < end:
            return first
        return told


def _instant(millisecond: int) -> datetime:
    return datetime.fromtimestamp(millisecond / 1000, UTC).replace(tzinfo=None)


def _whole(found: float | None) -> int | None:
    return None if found is None else round(found)


def _plain(found: float) -> float | int:
    return int(found) if found.is_integer() else found
