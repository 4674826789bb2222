"""Azure's GPU metrics: what Azure Monitor holds of each GPU, minute by minute.

Here belongs: asking for a day of each resource. Here does not belong: names and dimensions (`gpu_sets`), what makes an
answer whole (`monitor`).
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, ClassVar

from connectors.azure.gpu_sets import SETS, MetricSet, gpu_series
from connectors.azure.gpu_settings import AzureGpuMetricsSettings
from connectors.azure.monitor import API_VERSION, MINUTE, metrics_address, metrics_question, read_series
from connectors.azure_credentials import CredentialMaker, bearer_header, make_credential
from connectors.base import (
    Bytes,
    IncompleteDeliveryError,
    LandedPage,
    Page,
    Parsed,
    Source,
    SourceError,
    SourceSettings,
    Window,
)
from connectors.deadline import begin_delivery
from connectors.exact import exact_json
from connectors.gathered import read_document
from connectors.gpu_series import Samples, Series
from connectors.http import HttpSession, Pace
from connectors.windows import day_windows


class AzureGpuMetricsSource:
    """GPU metrics of Azure Machine Learning and of Telegraf. See `connectors.base.Source`."""

    kind: ClassVar[str] = "azure_gpu_metrics"
    fact: ClassVar[str] = "gpu_samples"
    settings_model: ClassVar[type[SourceSettings]] = AzureGpuMetricsSettings

    def __init__(self, credential: CredentialMaker = make_credential, pace: Pace | None = None) -> None:
        self._credential = credential
        self._pace = pace or Pace()

    def windows(self, settings: AzureGpuMetricsSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: AzureGpuMetricsSettings, window: Window) -> Iterator[Page]:
        """The answers of each resource, `chunk_hours` in each; none for a resource that never had a GPU metric.

        Raises SourceError when a resource cannot be asked.
        """
        chosen, deadline = SETS[settings.metrics], begin_delivery(self._pace.monotonic)
        with self._session(settings) as session:
            for resource in settings.resources:
                names = _known(session, settings, resource)
                for part in _parts(window, settings.chunk_hours) if names else ():
                    address = metrics_address(settings.endpoint, resource)
                    deadline.require(address)
                    question = metrics_question(part, names, MINUTE, chosen.dimensions) | _namespace(chosen)
                    yield Page(f"{resource}/{part.start:%Y-%m-%dT%H}", Bytes(session.get(address, question).body))

    def parse(self, settings: AzureGpuMetricsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for a GPU, its holder and a minute.

        Raises IncompleteDeliveryError for an answer that is cut, holds more series than were asked for, or says of a
        metric that it is not available: unknown is not zero.
        """
        samples = Samples(settings, window, SETS[settings.metrics].metrics.values())
        for page in sorted(pages, key=lambda page: page.digest):
            samples.add_page(page.page_id, _page_series(page, settings))
        yield from samples.chunks()

    def probe(self, settings: AzureGpuMetricsSettings) -> str:
        """Which resources have GPU metrics. Raises SourceError when none has."""
        with self._session(settings) as session:
            having = [resource for resource in settings.resources if _known(session, settings, resource)]
        if not having:
            raise SourceError(
                f"{settings.endpoint}: no resource has a metric of the set {settings.metrics!r}. Is it the right set, "
                "and, for `telegraf`, does Telegraf's azure_monitor output run on the machines?"
            )
        return f"{settings.endpoint}: {len(having)} of {len(settings.resources)} resources have GPU metrics"

    def _session(self, settings: AzureGpuMetricsSettings) -> HttpSession:
        return HttpSession(headers=bearer_header(settings, self._credential), pace=self._pace)


SOURCE: Source = AzureGpuMetricsSource()


def _namespace(chosen: MetricSet) -> dict[str, str]:
    return {"metricnamespace": chosen.namespace} if chosen.namespace else {}


def _known(session: HttpSession, settings: AzureGpuMetricsSettings, resource: str) -> list[str]:
    """The set's metrics that the resource has: one that it never had would make Azure refuse the question."""
    chosen = SETS[settings.metrics]
    address = f"{settings.endpoint}/{resource}/providers/Microsoft.Insights/metricDefinitions"
    body = session.get(address, {"api-version": API_VERSION, **_namespace(chosen)}).body
    try:
        found: Any = exact_json(body)
        defined = {definition["name"]["value"] for definition in found["value"]}
    except (ValueError, KeyError, TypeError):
        raise IncompleteDeliveryError(
            f"{address}: the answer is no list of metrics; was something put in its way?"
        ) from None
    return [name for name in chosen.metrics if name in defined]


def _parts(window: Window, hours: int) -> Iterator[Window]:
    start = window.start
    while start < window.end:
        yield Window(start, start + timedelta(hours=hours))
        start += timedelta(hours=hours)


def _page_series(page: LandedPage, settings: AzureGpuMetricsSettings) -> Iterator[Series]:
    answer = read_document(page.body, page.name)
    for series in read_series(answer, page.name, MINUTE, SETS[settings.metrics].averaged):
        try:
            yield gpu_series(series, settings)
        except KeyError as error:
            raise IncompleteDeliveryError(
                f"{page.name}: {series.metric} is not what was asked for ({error} is missing). Was 'metrics' changed "
                "since the day was fetched?"
            ) from None
