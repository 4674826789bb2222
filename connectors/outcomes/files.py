"""Outcomes in files of a folder or an object store, in fields that the settings name."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceError, SourceSettings, Window
from connectors.logs.files import Csv
from connectors.logs.landing import StoredShape, land_stored
from connectors.logs.probing import absent, first_rows, found_there, matching_files
from connectors.outcomes.reading import allowed, happened
from connectors.outcomes.settings import NEEDED, OutcomesFileSettings
from connectors.outcomes.staging import stage
from connectors.windows import day_windows


class OutcomesFile:
    """Outcomes as CSV, Parquet or JSON. See `connectors.base.Source`, and the README."""

    kind: ClassVar[str] = "outcomes_file"
    fact: ClassVar[str] = "outcomes"
    settings_model: ClassVar[type[SourceSettings]] = OutcomesFileSettings

    def windows(self, settings: OutcomesFileSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: OutcomesFileSettings, window: Window) -> Iterator[Page]:
        """The events of the day after the allow-list, wherever they are filed."""
        yield from land_stored(settings, window, partial(_shape, settings))

    def parse(self, settings: OutcomesFileSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `outcomes`. See `staging`."""
        return stage(settings, window, pages)

    def probe(self, settings: OutcomesFileSettings) -> str:
        """Whether the layout finds files, and what one of them lacks of the mapping.

        Raises SourceError where it lacks what every outcome needs.
        """
        told, files = found_there(settings), matching_files(settings)
        rows = first_rows(settings, files[-1], _csv(settings)) if files else []
        if not rows:
            return told
        where = f"the first {len(rows)} rows of {files[-1].path} say nothing under"
        needed = {path for name, path in settings.fields.items() if name in NEEDED}
        if lacking := absent(rows, sorted(needed)):
            raise SourceError(f"{settings.location}: {where} {', '.join(lacking)}: correct `fields`")
        lacking = absent(rows, sorted(set(settings.fields.values()) - needed))
        return f"{told}; {where} {', '.join(lacking)}" if lacking else f"{told}; it has every field of the mapping"


def _csv(settings: OutcomesFileSettings) -> Csv:
    return Csv(settings.own_columns, settings.delimiter)


def _shape(settings: OutcomesFileSettings) -> StoredShape:
    return StoredShape(allowed(settings).redact, partial(happened, settings), csv=_csv(settings))
