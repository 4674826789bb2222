"""The source of kind `serving`: its declaration, and the way from settings to pages and rows."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, Reject, SourceSettings, Window
from connectors.http import Pace
from connectors.prometheus import Reader, Reading, Refusals, milliseconds, probe, read_page, require_wanted
from connectors.serving.labels import read_labels
from connectors.serving.metrics import name_patterns, named
from connectors.serving.pages import fetch, target_of
from connectors.serving.rows import Rows
from connectors.serving.series import Gathered, Series
from connectors.serving.settings import REACH, ServingSettings
from connectors.windows import day_windows

_DAY = timedelta(days=1)
_EXPORTER = "a serving engine"


@dataclass(eq=False)
class _Labels:
    """A set of labels, with the series that its metrics have."""

    values: Mapping[str, str]
    series: dict[str, list[Series]] = field(default_factory=dict[str, list[Series]])


@dataclass
class _Taking:
    """One parse: what was read so far, and the milliseconds of which readings are taken."""

    settings: ServingSettings
    window: Window
    gathered: Gathered = field(default_factory=Gathered)

    def __post_init__(self) -> None:
        start, end = self.window.start, self.window.end
        self.first, self.end = milliseconds(start - REACH), milliseconds(end + REACH)
        self.first_known, self.end_known = milliseconds(start - _DAY), milliseconds(end + _DAY)

    def put(self, reading: Reading[_Labels], target: str, refusals: Refusals) -> None:
        """Takes a reading of the window and the hours around it.

        A neighbour's file may hold its whole day, both its midnights included.
        """
        labels = reading.subject
        found = labels.series.get(reading.metric)
        if found is None:
            origins = read_labels(reading.metric, labels.values, target, self.settings)
            found = labels.series[reading.metric] = [self.gathered.series_of(origin) for origin in origins]
        if not found:
            return
        if not self.first <= reading.millisecond < self.end:
            if not self.first_known <= reading.millisecond <= self.end_known:
                refusals.refuse_instant(reading)
            return
        if not math.isfinite(reading.value) or reading.value < 0:
            detail = f"{reading.text} is no count: expected 0 or more. The sample is kept without it."
            refusals.refuse(reading.row, "out_of_range", detail, reading.payload)
            return
        for series in found:
            self.gathered.put(series, reading.millisecond, reading.value, refusals.page_id, reading.row)


class ServingSource:
    """Serving engines' counters, by way of a Prometheus server or of files. See `connectors.base.Source`."""

    kind: ClassVar[str] = "serving"
    fact: ClassVar[str] = "serving_counters"
    settings_model: ClassVar[type[SourceSettings]] = ServingSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: ServingSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: ServingSettings, window: Window) -> Iterator[Page]:
        """Answers of the server or the day's files, with an hour before and after."""
        return fetch(settings, window, self._pace)

    def parse(self, settings: ServingSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of the window: all pages are read first, since a counter's rise lies between two samples."""
        taking, rejects = _Taking(settings, window), list[Reject]()
        readers = dict[str, Reader[_Labels]]()
        for page in sorted(pages, key=lambda landed: landed.digest):
            target = target_of(page) if settings.scrapes is not None else ""
            reader = readers.setdefault(target, Reader(wants=lambda name: named(name) is not None, learn=_Labels))
            refusals = Refusals(page.page_id)
            for reading in read_page(settings, page, reader, refusals):
                taking.put(reading, target, refusals)
            refusals.finish()
            rejects += refusals.rejects
        require_wanted(settings, readers.values(), _EXPORTER)
        return Rows(settings, window, taking.gathered).parsed(rejects)

    def probe(self, settings: ServingSettings) -> str:
        """What the server or the location holds."""
        return probe(settings, name_patterns(settings.engines), _EXPORTER, self._pace)
