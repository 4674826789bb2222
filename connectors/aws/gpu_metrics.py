"""AWS's GPU metrics: what CloudWatch holds of each GPU, minute by minute.

Here belongs: which metrics are asked for, and how old ones are. Here does not belong: what their names and dimensions
mean (`gpu_dimensions`).
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from connectors.aws.answers import AnswerPage, read_answer, require_whole
from connectors.aws.api import chain
from connectors.aws.api_settings import AwsGpuMetricsSettings
from connectors.aws.gpu_answers import page_series, require_complete, without_values
from connectors.aws.gpu_dimensions import METRICS, Listed, listed, namespaces
from connectors.base import LandedPage, Page, Parsed, Source, SourceError, SourceSettings, Window
from connectors.deadline import Clock, Deadline, begin_delivery
from connectors.gpu_series import Samples
from connectors.windows import day_windows

SERVICE = "cloudwatch"
MOST_QUERIES = 500  # of one request
MOST_VALUES = 100_800  # of one answer
MINUTE, FIVE_MINUTES, HOUR = 60, 300, 3600
"""CloudWatch keeps means over these for 15, 63 and 455 days, and says nothing when asked for finer ones."""


class AwsGpuMetrics:
    """GPU metrics of the CloudWatch agent and of Container Insights. See `connectors.base.Source`."""

    kind: ClassVar[str] = "aws_gpu_metrics"
    fact: ClassVar[str] = "gpu_samples"
    settings_model: ClassVar[type[SourceSettings]] = AwsGpuMetricsSettings

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def windows(self, settings: AwsGpuMetricsSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: AwsGpuMetricsSettings, window: Window) -> Iterator[Page]:
        """Every region's values of the day; none where no GPU reported, or none is known.

        Raises SourceError for a day of which only hours are kept, and what `open_api` raises.
        """
        deadline = begin_delivery(self._clock)
        for region in settings.regions:
            metrics = _list(settings, deadline, region)
            for period in (MINUTE, FIVE_MINUTES):
                has_values = yield from _values(settings, deadline, region, window, (metrics, period))
                if has_values or not metrics:
                    break
            else:
                _require_nothing(settings, deadline, region, window, metrics)

    def parse(self, settings: AwsGpuMetricsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for a GPU and a minute.

        Raises IncompleteDeliveryError when pages are missing, or CloudWatch left values out.
        """
        samples = Samples(settings, window, METRICS.values())
        answers: list[AnswerPage] = []
        for page in sorted(pages, key=lambda page: page.digest):
            answer = read_answer(page.body, page.name)
            samples.add_page(page.page_id, page_series(answer, samples))
            answers.append(without_values(answer))
        require_whole(answers)
        require_complete(answers)
        yield from samples.chunks()

    def probe(self, settings: AwsGpuMetricsSettings) -> str:
        """Whether metrics may be listed, and how many GPUs the first region has. Raises SourceError when none."""
        region = settings.regions[0]
        found = {one.series.gpu for one in _list(settings, begin_delivery(self._clock), region)}
        if not found:
            names = " or ".join(namespaces(settings))
            raise SourceError(
                f"CloudWatch in {region} lists no GPU in {names} of the last two weeks. Is the agent's section "
                "nvidia_gpu configured, or Container Insights with enhanced observability on?"
            )
        return f"CloudWatch in {region}: metrics of {len(found)} GPUs"


SOURCE: Source = AwsGpuMetrics()


def _list(settings: AwsGpuMetricsSettings, deadline: Deadline, region: str) -> list[Listed]:
    """The region's GPU metrics, those of one GPU beside each other, so that most samples are in one page."""
    found: dict[str, Listed] = {}
    for namespace, names in namespaces(settings).items():
        for name in names:
            query = {"Namespace": namespace, "MetricName": name}
            for page in chain(settings, deadline, SERVICE, region, "list_metrics", query):
                for metric in read_answer(page.body, page.name).records:
                    one = listed(metric, settings)
                    if one is not None and _says_more(one, found.get(one.key)):
                        found[one.key] = one
    return [found[key] for key in sorted(found)]


def _says_more(one: Listed, before: Listed | None) -> bool:
    """Of several series about the same, which the agent's aggregation makes, the one with most dimensions counts."""
    return before is None or len(one.metric["Dimensions"]) > len(before.metric["Dimensions"])


def _values(
    settings: AwsGpuMetricsSettings, deadline: Deadline, region: str, window: Window, asked: tuple[list[Listed], int]
) -> Generator[Page, None, bool]:
    """Pages from the first that holds a value; returns whether any did. What came before it holds none."""
    metrics, period = asked
    held: list[Page] = []
    has_values = False
    for first in range(0, len(metrics), MOST_QUERIES):
        query = _query(window, [one.metric for one in metrics[first : first + MOST_QUERIES]], period)
        for page in chain(settings, deadline, SERVICE, region, "get_metric_data", query):
            held.append(page)
            has_values = has_values or any(r.get("Values") for r in read_answer(page.body, page.name).records)
            if has_values:
                yield from held
                held = []
    return has_values


def _query(window: Window, metrics: list[Mapping[str, Any]], period: int) -> dict[str, Any]:
    return {
        "StartTime": window.start,
        "EndTime": window.end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": MOST_VALUES,
        "MetricDataQueries": [
            {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}}
            for number, metric in enumerate(metrics)
        ],
    }


def _require_nothing(
    settings: AwsGpuMetricsSettings, deadline: Deadline, region: str, window: Window, metrics: list[Listed]
) -> None:
    """A day without minutes had no GPU that reported, unless hours are left of it: then it is too old."""
    if any(True for _ in _values(settings, deadline, region, window, (metrics, HOUR))):
        raise SourceError(
            f"CloudWatch in {region} keeps only hours of {window.slice_date}: five minutes are kept for 63 days. An "
            "hour's mean does not tell whether a GPU was idle within it; the day cannot be read any more."
        )
