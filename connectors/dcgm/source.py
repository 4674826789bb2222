"""The source of kind `dcgm`: its declaration, and the way from settings to pages and rows."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.dcgm.batch import Batches
from connectors.dcgm.metrics import AVERAGED, METRICS, is_wanted
from connectors.dcgm.samples import open_page
from connectors.dcgm.settings import DcgmSettings
from connectors.http import Pace
from connectors.prometheus import Reader, averaging, fetch_pages, probe, read_page, require_wanted
from connectors.windows import day_windows

_EXPORTER = "dcgm-exporter"


class DcgmSource:
    """GPU samples from dcgm-exporter, by way of a Prometheus server or of files. See `connectors.base.Source`."""

    kind: ClassVar[str] = "dcgm"
    fact: ClassVar[str] = "gpu_samples"
    settings_model: ClassVar[type[SourceSettings]] = DcgmSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: DcgmSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: DcgmSettings, window: Window) -> Iterator[Page]:
        """Answers of the server, every metric in each so that one page holds whole samples; or the day's files."""
        query = averaging(settings, AVERAGED, [name for name in METRICS if name not in AVERAGED])
        return fetch_pages(settings, window, {"gpus": query}, self._pace)

    def parse(self, settings: DcgmSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Samples of the window, in chunks. A sample that two pages hold is taken from the one of lower digest."""
        batches = Batches(settings, window)
        reader = Reader(wants=is_wanted, learn=batches.subjects.learn)
        for page in sorted(pages, key=lambda landed: landed.digest):
            samples = open_page(page.page_id, window)
            for reading in read_page(settings, page, reader, samples.refusals):
                samples.put(reading)
            batches.add(samples)
            if batches.is_full:
                yield batches.take()
        require_wanted(settings, [reader], _EXPORTER)
        yield batches.take(last=True)

    def probe(self, settings: DcgmSettings) -> str:
        """What the server or the location holds."""
        return probe(settings, METRICS, _EXPORTER, self._pace)
