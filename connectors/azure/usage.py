"""Azure usage: what Azure Monitor counted for each deployment of a model, hour by hour.

Here belongs: asking for a day of each resource. Here does not belong: what an answer says (`metrics`).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from connectors.azure.metrics import METRICS, read_points, stage_point
from connectors.azure.monitor import API_VERSION, HOUR, metrics_address, metrics_question
from connectors.azure.usage_settings import AzureUsageSettings
from connectors.azure_credentials import CredentialMaker, bearer_header, make_credential
from connectors.base import Bytes, LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.gathered import Gathered, read_document
from connectors.http import HttpSession, Pace
from connectors.windows import day_windows

_DIMENSIONS = ("ModelDeploymentName", "ModelName")


class AzureUsageSource:
    """The source; see the README beside this file for the metrics and what they do not tell."""

    kind: ClassVar[str] = "azure_usage"
    fact: ClassVar[str] = "provider_usage"
    settings_model: ClassVar[type[SourceSettings]] = AzureUsageSettings

    def __init__(self, credential: CredentialMaker = make_credential, pace: Pace | None = None) -> None:
        self._credential = credential
        self._pace = pace or Pace()

    def windows(self, settings: AzureUsageSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: AzureUsageSettings, window: Window) -> Iterator[Page]:
        """One answer for each resource. Raises SourceError when a resource cannot be asked."""
        with self._session(settings) as session:
            for resource in settings.resources:
                question = metrics_question(window, METRICS[settings.metrics], HOUR, _DIMENSIONS)
                answer = session.get(metrics_address(settings.endpoint, resource), question)
                yield Page(f"{resource}/{window.slice_date}", Bytes(answer.body))

    def parse(self, settings: AzureUsageSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of the day.

        Raises IncompleteDeliveryError for an answer that is cut, holds more series than were asked for, or says of a
        metric that it is not available: unknown is not zero.
        """
        gathered = Gathered(self.fact, settings, window)
        for page in pages:
            points = read_points(read_document(page.body, page.name), page.name)
            for number, point in enumerate(points, 1):
                gathered.take(page.page_id, number, point.found, lambda p=point: stage_point(p, window), page.name)
                if gathered.is_full:
                    yield gathered.chunk()
        yield gathered.chunk(gathered.notices())

    def probe(self, settings: AzureUsageSettings) -> str:
        """Whether the resources' metrics may be read. Raises SourceError."""
        with self._session(settings) as session:
            for resource in settings.resources:
                address = f"{settings.endpoint}/{resource}/providers/Microsoft.Insights/metricDefinitions"
                session.get(address, {"api-version": API_VERSION})
        return f"{settings.endpoint}: the metrics of {len(settings.resources)} resources can be read"

    def _session(self, settings: AzureUsageSettings) -> HttpSession:
        return HttpSession(headers=bearer_header(settings, self._credential), pace=self._pace)


SOURCE: Source = AzureUsageSource()
