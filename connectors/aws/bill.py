"""AWS bills: CUR 2.0, FOCUS and the legacy Cost and Usage Report, as Data Exports write them to a bucket.

Here belongs: the declaration of the source. What paths mean is in `bill_layout`, which files count in `bill_choice`,
what lines cost in `bill_costs`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import ClassVar

from connectors.aws.bill_fetch import fetch_export, months_written, probe_export
from connectors.aws.bill_parse import parse_export
from connectors.aws.bill_settings import AwsBillSettings
from connectors.base import LandedPage, MonthFiles, Page, Parsed, Source, SourceSettings, Window
from connectors.bills.look import look
from connectors.windows import month_window, month_windows


class AwsBillSource:
    """The source; see the README beside this file for layouts, lag, amortisation and oddities."""

    kind: ClassVar[str] = "aws_bill"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = AwsBillSettings

    def windows(self, settings: AwsBillSettings, day: date) -> list[Window]:
        """The day's month, and closed months while they may still be restated."""
        return month_windows(day, settings.trailing_months, settings.restated_through_day)

    def fetch(self, settings: AwsBillSettings, window: Window) -> Iterator[Page]:
        """The month's files of one execution, then its manifest. Raises SourceError when they cannot be had whole."""
        return fetch_export(settings, window)

    def parse(self, settings: AwsBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges and rejects. Raises IncompleteDeliveryError for files that are not whole."""
        return parse_export(settings, window, pages)

    def probe(self, settings: AwsBillSettings) -> str:
        """How many bill files there are, of which months, and whether the newest can be read under the settings."""
        told, month, newest = probe_export(settings)
        return f"{told}; {look(newest, lambda page: parse_export(settings, month_window(month), [page]))}"

    def written(self, settings: AwsBillSettings) -> Mapping[date, MonthFiles]:
        """The files of each month, and when the last of them was written."""
        return months_written(settings)


SOURCE: Source = AwsBillSource()
