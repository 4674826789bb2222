"""Google Cloud's GPU metrics: what Cloud Monitoring holds of each GPU, minute by minute.

Here belongs: asking for a day of each metric. Here does not belong: names and units (`gpu_families`), what an answer
says (`gpu_answers`).
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, ClassVar

from connectors.base import (
    Bytes,
    IncompleteDeliveryError,
    LandedPage,
    Page,
    Parsed,
    RefusedRequestError,
    Source,
    SourceError,
    SourceSettings,
    Window,
)
from connectors.deadline import Deadline, begin_delivery
from connectors.exact import exact_json
from connectors.gathered import read_document, without_repeated_nothing
from connectors.gcp.access import bearer_header
from connectors.gcp.gpu_answers import known_metrics, page_series
from connectors.gcp.gpu_families import ASKED, Asked
from connectors.gcp.gpu_settings import GcpGpuMetricsSettings
from connectors.gpu_series import Samples
from connectors.http import HttpSession, Pace
from connectors.paging import Turn, paginate
from connectors.windows import day_windows, utc_text

ROLE = "the role Monitoring Viewer on the projects"
MOST_POINTS = 100_000  # of one answer
_MOST_PAGES = 10_000
_UNKNOWN_METRIC = "Cannot find metric"


class GcpGpuMetricsSource:
    """GPU metrics of the Ops Agent and of GKE. See `connectors.base.Source`."""

    kind: ClassVar[str] = "gcp_gpu_metrics"
    fact: ClassVar[str] = "gpu_samples"
    settings_model: ClassVar[type[SourceSettings]] = GcpGpuMetricsSettings

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()

    def windows(self, settings: GcpGpuMetricsSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: GcpGpuMetricsSettings, window: Window) -> Iterator[Page]:
        """Every metric of every project. A metric that a project never had is a true none.

        Raises AuthenticationError, SourceError, and IncompleteDeliveryError when pages do not end.
        """
        yield from without_repeated_nothing(self._pages(settings, window), _is_empty)

    def parse(self, settings: GcpGpuMetricsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for a GPU, its holder and a stretch, at the stretch's beginning.

        Raises IncompleteDeliveryError for an answer that is cut, that says of itself that it is not whole, or that
        tells values in another unit than expected.
        """
        # Cloud Monitoring names a stretch by its end
        samples = Samples(settings, window, known_metrics(), shift=-timedelta(seconds=settings.step_seconds))
        for page in sorted(pages, key=lambda page: page.digest):
            answer = read_document(page.body, page.name)
            samples.add_page(page.page_id, page_series(answer, page.name, samples))
        yield from samples.chunks()

    def probe(self, settings: GcpGpuMetricsSettings) -> str:
        """Which of the metrics the projects have. Raises SourceError when none has any."""
        with self._session(settings) as session:
            found = [name for name, asked in _wanted(settings) if self._is_known(session, settings, name, asked)]
        if not found:
            raise SourceError(
                f"{_host(settings)}: {', '.join(settings.projects)} never had a GPU metric. Does the Ops Agent run on "
                "the machines, or are GKE's system metrics on?"
            )
        return f"{_host(settings)}: {len(found)} GPU metrics, {', '.join(found)}"

    def _pages(self, settings: GcpGpuMetricsSettings, window: Window) -> Iterator[Page]:
        deadline = begin_delivery(self._pace.monotonic)
        with self._session(settings) as session:
            for project in settings.projects:
                for name, asked in _wanted(settings):
                    query = _query(settings, window, name, asked)
                    for number, body in enumerate(_answers(session, _address(settings, project), query, deadline), 1):
                        yield Page(f"{window.slice_date}/{project}/{name}/page-{number}.json", Bytes(body))

    def _is_known(self, session: HttpSession, settings: GcpGpuMetricsSettings, name: str, asked: Asked) -> bool:
        address = f"{_host(settings)}/v3/projects/{{}}/metricDescriptors"
        query = {"filter": f'metric.type = "{name}" AND resource.type = "{asked.resource}"', "pageSize": "1"}
        return any(
            exact_json(session.get(address.format(project), query).body).get("metricDescriptors")
            for project in settings.projects
        )

    @contextmanager
    def _session(self, settings: GcpGpuMetricsSettings) -> Generator[HttpSession]:
        with HttpSession(headers=bearer_header(settings, _host(settings), ROLE), pace=self._pace) as session:
            yield session


SOURCE: Source = GcpGpuMetricsSource()


def _wanted(settings: GcpGpuMetricsSettings) -> list[tuple[str, Asked]]:
    return [(name, asked) for name, asked in ASKED.items() if asked.family in settings.families]


def _host(settings: GcpGpuMetricsSettings) -> str:
    return settings.endpoint or "https://monitoring.googleapis.com"


def _address(settings: GcpGpuMetricsSettings, project: str) -> str:
    return f"{_host(settings)}/v3/projects/{project}/timeSeries"


def _query(
    settings: GcpGpuMetricsSettings, window: Window, name: str, asked: Asked
) -> Mapping[str, str | Sequence[str]]:
    """One stretch a step; series are reduced to themselves, because labels of the machine are told of no others."""
    return {
        "filter": f'metric.type = "{name}" AND resource.type = "{asked.resource}"',
        "interval.startTime": utc_text(window.start),
        "interval.endTime": utc_text(window.end),
        "aggregation.alignmentPeriod": f"{settings.step_seconds}s",
        "aggregation.perSeriesAligner": asked.aligner,
        "aggregation.crossSeriesReducer": "REDUCE_MEAN",
        "aggregation.groupByFields": asked.labels,
        "pageSize": str(MOST_POINTS),
    }


def _answers(
    session: HttpSession, address: str, query: Mapping[str, str | Sequence[str]], deadline: Deadline
) -> Iterator[bytes]:
    def ask(token: str) -> Turn[bytes, str]:
        deadline.require(address)
        body = session.get(address, {**query, **({"pageToken": token} if token else {})}).body
        try:
            found: Any = exact_json(body)
            return Turn(body, found.get("nextPageToken") or None)
        except (ValueError, AttributeError):
            raise IncompleteDeliveryError(
                f"{address}: the answer is no list of time series; was something put in its way?"
            ) from None

    try:
        yield from paginate("", ask, _MOST_PAGES)
    except RefusedRequestError as error:
        if error.status != 404 or _UNKNOWN_METRIC not in str(error):
            raise


def _is_empty(page: Page) -> bool:
    with page.body.open() as stream:
        return b'"timeSeries"' not in stream.read()
