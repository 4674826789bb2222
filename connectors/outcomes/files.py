"""Outcomes in files of a folder or an object store, in fields that the settings name."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.logs.files import Csv
from connectors.logs.landing import StoredShape, land_stored
from connectors.logs.probing import found_there, look
from connectors.outcomes.looking import held
from connectors.outcomes.reading import allowed, happened
from connectors.outcomes.settings import OutcomesFileSettings
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
        """Whether the layout finds files, and whether rows of some of them are outcomes by the mapping.

        Raises SourceError where they lack what every outcome needs, or none would be taken.
        """
        told, looked = found_there(settings), look(settings, _csv(settings))
        if looked is None:
            return told
        found = held(settings, looked)
        found.require(settings.location)
        return f"{told}; {found.told()}"

    def doubts(self, settings: OutcomesFileSettings) -> Sequence[str]:
        """Paths that find nothing in some of the files, and rows that would be refused."""
        looked = look(settings, _csv(settings))
        if looked is None:
            return ()
        found = held(settings, looked)
        return [*looked.cut_told(), *found.absences, *found.refused]


def _csv(settings: OutcomesFileSettings) -> Csv:
    return Csv(settings.own_columns, settings.delimiter)


def _shape(settings: OutcomesFileSettings) -> StoredShape:
    return StoredShape(allowed(settings).redact, partial(happened, settings), csv=_csv(settings))
