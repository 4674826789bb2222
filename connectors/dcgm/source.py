"""The source of kind `dcgm`: its declaration, and the way from settings to pages and rows."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.dcgm.batch import Batches
from connectors.dcgm.exposition import read_scrape
from connectors.dcgm.prometheus import fetch_answers, open_session, probe_server, read_answer
from connectors.dcgm.samples import Known, open_page
from connectors.dcgm.scrapes import fetch_scrapes, probe_files
from connectors.dcgm.settings import DcgmSettings
from connectors.http import Pace


class DcgmSource:
    """GPU samples from dcgm-exporter, by way of a Prometheus server or of files. See `connectors.base.Source`."""

    kind: ClassVar[str] = "dcgm"
    fact: ClassVar[str] = "gpu_samples"
    settings_model: ClassVar[type[SourceSettings]] = DcgmSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: DcgmSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        days = [day - timedelta(days=back) for back in range(settings.trailing_days, -1, -1)]
        return [Window(_midnight(d), _midnight(d + timedelta(days=1))) for d in days]

    def fetch(self, settings: DcgmSettings, window: Window) -> Iterator[Page]:
        """Answers of the server, or the day's files."""
        if settings.scrapes is not None:
            yield from fetch_scrapes(settings, settings.scrapes, window)
            return
        with open_session(settings, self._pace) as session:
            yield from fetch_answers(settings, window, session)

    def parse(self, settings: DcgmSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Samples of the window, in chunks. A sample that two pages hold is taken from the one of lower digest."""
        batches = Batches(settings, window)
        known: dict[str, Known] = {}
        for page in sorted(pages, key=lambda landed: landed.digest):
            samples = open_page(page.page_id, window)
            if settings.scrapes is not None:
                read_scrape(page, samples, batches.subjects, known)
            else:
                read_answer(page, samples, batches.subjects)
            batches.add(samples)
            if batches.is_full:
                yield batches.take()
        yield batches.take(last=True)

    def probe(self, settings: DcgmSettings) -> str:
        """What the server or the location holds."""
        if settings.scrapes is not None:
            return probe_files(settings, settings.scrapes)
        with open_session(settings, self._pace) as session:
            return probe_server(settings, session)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - UTC without a zone, as everywhere in this house
