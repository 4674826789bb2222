"""FOCUS bills, 1.0 to 1.4: the FinOps Open Cost and Usage Specification as CSV, CSV.gz, Parquet or JSON.

Here belongs: which files make a month, how a vendor's columns are spelt, how its values are written.
Here does not belong: provider-native bills (those are connectors of their own), currency conversion, allocation.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import ClassVar

from connectors.base import LandedPage, MonthFiles, Page, Parsed, Source, SourceSettings, Window
from connectors.focus.fetch import fetch_month, months_written
from connectors.focus.parse import parse_month
from connectors.focus.probe import probe_bill
from connectors.focus.reading import focus_reading
from connectors.focus.rules import ModelRule
from connectors.focus.settings import FocusSettings
from connectors.windows import month_windows

__all__ = ["SOURCE", "FocusSettings", "FocusSource", "ModelRule"]


class FocusSource:
    """The source; see the README beside this file for layouts, lag and the vendors' oddities."""

    kind: ClassVar[str] = "focus"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = FocusSettings

    def windows(self, settings: FocusSettings, day: date) -> list[Window]:
        """The day's month, and closed months while they may still be restated."""
        return month_windows(day, settings.trailing_months, settings.restated_through_day)

    def fetch(self, settings: FocusSettings, window: Window) -> Iterator[Page]:
        """The month's manifests and files. Raises SourceError when they cannot be read or there are none."""
        return fetch_month(settings, window)

    def parse(self, settings: FocusSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges and rejects. Raises IncompleteDeliveryError for files that are not whole."""
        return parse_month(settings, window, pages, focus_reading(settings))

    def probe(self, settings: FocusSettings) -> str:
        """How many bill files there are, and of which months; and whether the latest one can be read.

        Raises SourceError where there is none, or it lacks a column or is in another currency.
        """
        return probe_bill(settings, focus_reading(settings))

    def written(self, settings: FocusSettings) -> Mapping[date, MonthFiles]:
        """The files of each month, and when the last of them was written."""
        return months_written(settings)


SOURCE: Source = FocusSource()
