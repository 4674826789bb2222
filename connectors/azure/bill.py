"""Azure bills: Cost Management exports (actual, amortized, FOCUS), or reports made on demand.

Here belongs: the two ways in, side by side. Here does not belong: either of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import ClassVar

from connectors.azure.bill_settings import AzureBillSettings, View
from connectors.azure.exports import fetch_exports, months_written, probe_exports
from connectors.azure.focus_view import parse_focus
from connectors.azure.months import newest_month, parse_alone, parse_views, sort_pages, told_of_models
from connectors.azure.reports import LOOK_SECONDS, fetch_reports, probe_reports
from connectors.azure_credentials import CredentialMaker, make_credential
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
from connectors.bills.files import spooled
from connectors.bills.look import look
from connectors.deadline import DeadlineError
from connectors.http import Pace
from connectors.windows import month_window, month_windows


class AzureBillSource:
    """The source; see the README beside this file for layouts, views, lag and oddities."""

    kind: ClassVar[str] = "azure_bill"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = AzureBillSettings

    def __init__(self, credential: CredentialMaker = make_credential, pace: Pace | None = None) -> None:
        self._credential = credential
        self._pace = pace or Pace()

    def windows(self, settings: AzureBillSettings, day: date) -> list[Window]:
        """The day's month, and closed months while Azure may still restate them."""
        return month_windows(day, settings.trailing_months, settings.restated_through_day)

    def fetch(self, settings: AzureBillSettings, window: Window) -> Iterator[Page]:
        """The month's manifests and files. Raises SourceError when they cannot be had, or there are none."""
        if settings.report is not None:
            return fetch_reports(settings, window, self._credential, self._pace)
        return fetch_exports(settings, window)

    def parse(self, settings: AzureBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges and rejects. Raises IncompleteDeliveryError for pages that are not a whole delivery."""
        if settings.focus is not None:
            return told_of_models(parse_focus(settings, window, pages))
        return parse_views(settings, window, sort_pages(settings, pages))

    def probe(self, settings: AzureBillSettings) -> str:
        """Which months the exports hold and whether their newest files can be read, or that a report may be had."""
        if settings.report is not None:
            told, page = probe_reports(settings, self._credential, self._pace)
            return told if page is None else f"{told}; {_looked_at_report(settings, page)}"
        told, newest = probe_exports(settings)
        return "; ".join([told, *(_looked(settings, month, view, page) for month, view, page in newest)])

    def written(self, settings: AzureBillSettings) -> Mapping[date, MonthFiles]:
        """The files of each month, and when the last of them was written."""
        return {} if settings.report is not None else months_written(settings)


def _looked(settings: AzureBillSettings, month: date, view: View, page: Page) -> str:
    window = month_window(month)
    if view == "focus":
        return look(page, lambda landed: parse_focus(settings, window, [landed]))
    return look(page, lambda landed: parse_alone(settings, window, landed))


def _looked_at_report(settings: AzureBillSettings, page: Page) -> str:
    try:
        with spooled(page) as local:
            month = newest_month(local)
            return f"{page.name} holds no line yet" if month is None else _looked(settings, month, "actual", local)
    except IncompleteDeliveryError as error:
        raise SourceError(str(error)) from None
    except DeadlineError:
        return f"{page.name} did not come within {LOOK_SECONDS:.0f} seconds: the first night reads it"


SOURCE: Source = AzureBillSource()
