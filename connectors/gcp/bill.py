"""Google Cloud bills: the BigQuery billing export, from files or from its table, one invoice month at a time."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import ClassVar

from connectors.base import (
    IncompleteDeliveryError,
    LandedPage,
    MonthFiles,
    Page,
    Parsed,
    Source,
    SourceError,
    SourceSettings,
    Window,
)
from connectors.bills.look import look
from connectors.gcp.answers import Patience
from connectors.gcp.bill_files import fetch_files, months_written, probe_files
from connectors.gcp.bill_parse import newest_month, parse_month
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.gcp.bill_table import fetch_table, probe_table, table_written
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
        """Which invoice months there are, and whether the newest file, or some lines of the table, can be read."""
        if settings.table:
            told, some = probe_table(settings, self._patience)
            return told if some is None else f"{told}; {_looked(settings, *some)}"
        told, month, newest = probe_files(settings)
        return f"{told}; {_looked(settings, month or _told_by_lines(newest), newest)}"

    def written(self, settings: GcpBillSettings) -> Mapping[date, MonthFiles]:
        """The files of each month, and when the last of them was written; of a table, which months lately got lines."""
        return table_written(settings, self._patience) if settings.table else months_written(settings)


def _told_by_lines(page: Page) -> date:
    """The newest month of a file whose path tells none: its lines do. Any month does for a file without such lines."""
    try:
        return newest_month(page) or date(2000, 1, 1)
    except IncompleteDeliveryError as error:
        raise SourceError(str(error)) from None


def _looked(settings: GcpBillSettings, month: date, page: Page) -> str:
    of_month = settings.model_copy(update={"layout": "month"})  # a look says of other months' lines what they are
    return look(page, lambda landed: parse_month(of_month, month_window(month), [landed]))


SOURCE: Source = GcpBillSource()
