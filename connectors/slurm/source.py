"""The source of kind `slurm`: its declaration, and the way from settings to pages and rows."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.slurm.landing import fetch_pages, probe_files
from connectors.slurm.rows import Gathering
from connectors.slurm.settings import SlurmSettings
from connectors.windows import day_windows


class SlurmSource:
    """Jobs that held GPUs, from files of sacct's output. See `connectors.base.Source`."""

    kind: ClassVar[str] = "slurm"
    fact: ClassVar[str] = "gpu_allocations"
    settings_model: ClassVar[type[SourceSettings]] = SlurmSettings

    def windows(self, settings: SlurmSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: SlurmSettings, window: Window) -> Iterator[Page]:
        """The day's files, and the jobs of its neighbours' files that reach into it."""
        return fetch_pages(settings, window)

    def parse(self, settings: SlurmSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Allocations of the window: all pages are read first, since a later file knows how a job ended."""
        gathering = Gathering(settings, window)
        for page in sorted(pages, key=lambda landed: landed.digest):
            gathering.read(page)
        return gathering.parsed()

    def probe(self, settings: SlurmSettings) -> str:
        """How many files the location holds, and of which days."""
        return probe_files(settings)
