"""Bills in their own columns: any CSV, CSV.gz, Parquet or JSON whose columns the settings map to the contract's.

Here belongs: the kind. Here does not belong: what a vendor's file looks like; that is a recipe in the README.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import ClassVar

from connectors.base import LandedPage, MonthFiles, Page, Parsed, Source, SourceSettings, Window
from connectors.focus.fetch import fetch_month, months_written
from connectors.focus.mapped_settings import MappedBillSettings
from connectors.focus.mapping import mapped_reading
from connectors.focus.parse import parse_month
from connectors.focus.probe import probe_bill
from connectors.windows import month_windows

__all__ = ["SOURCE", "MappedBillSettings", "MappedBillSource"]


class MappedBillSource:
    """The source; see the README beside this file for recipes and rules."""

    kind: ClassVar[str] = "mapped_bill"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = MappedBillSettings

    def windows(self, settings: MappedBillSettings, day: date) -> list[Window]:
        """The day's month, and closed months while they may still be restated."""
        return month_windows(day, settings.trailing_months, settings.restated_through_day)

    def fetch(self, settings: MappedBillSettings, window: Window) -> Iterator[Page]:
        """The month's manifests and files. Raises SourceError when they cannot be read or there are none."""
        return fetch_month(settings, window)

    def parse(self, settings: MappedBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges and rejects. Raises IncompleteDeliveryError for files that are not whole or lack a mapped column."""
        return parse_month(settings, window, pages, mapped_reading(settings))

    def probe(self, settings: MappedBillSettings) -> str:
        """How many bill files there are, and of which months; and whether the latest has the columns of the mapping.

        Raises SourceError where there is none, or it lacks a column or is in another currency.
        """
        return probe_bill(settings, mapped_reading(settings))

    def written(self, settings: MappedBillSettings) -> Mapping[date, MonthFiles]:
        """The files of each month, and when the last of them was written."""
        return months_written(settings)


SOURCE: Source = MappedBillSource()
