"""Google Cloud bills: the BigQuery billing export, from files or from its table, one invoice month at a time."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import ClassVar

from connectors.base import LandedPage, MonthFiles, Page, Parsed, Source, SourceSettings, Window
from connectors.bills.look import look
from connectors.gcp.answers import Patience
from connectors.gcp.bill_files import fetch_files, months_written, probe_files
from connectors.gcp.bill_parse import parse_month
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.gcp.bill_table import fetch_table, probe_table
from connectors.windows import month_window, month_windows

__all__ = ["SOURCE", "GcpBillSettings", "GcpBillSource"]


class GcpBillSource:
    """The source; see the README beside this file for tables, lag and oddities."""

    kind: ClassVar[str] = "gcp_bill"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = GcpBillSettings

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()

    def windows(self, settings: GcpBillSettings, day: date) -> list[Window]:
        """The day's month, and closed months while lines may still be added to their invoices."""
        return month_windows(day, settings.trailing_months, settings.restated_through_day)

    def fetch(self, settings: GcpBillSettings, window: Window) -> Iterator[Page]:
        """The invoice month's files, or its lines from the table. Raises SourceError."""
        return fetch_table(settings, window, self._patience) if settings.table else fetch_files(settings, window)

    def parse(self, settings: GcpBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges and rejects. Raises IncompleteDeliveryError for pages that are not whole."""
        return parse_month(settings, window, pages)

    def probe(self, settings: GcpBillSettings) -> str:
        """Which invoice months there are; of files, whether the newest can be read under the settings."""
        if settings.table:
            return probe_table(settings, self._patience)
        told, month, newest = probe_files(settings)
        if month is None:  # files whose paths tell no month hold several, and are read for one at a time
            return told
        return f"{told}; {look(newest, lambda page: parse_month(settings, month_window(month), [page]))}"

    def written(self, settings: GcpBillSettings) -> Mapping[date, MonthFiles]:
        """The files of each month, and when the last of them was written."""
        return {} if settings.table else months_written(settings)


SOURCE: Source = GcpBillSource()
