"""Azure Monitor's metrics: what is asked for, and an answer as series of one metric, resource and set of dimensions.

Here belongs: the interface, and what makes an answer whole. Here does not belong: what a metric means (`metrics` for
model deployments, `gpu_sets` for GPUs).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator

from connectors.base import IncompleteDeliveryError, Window
from connectors.windows import utc_text

API_VERSION = "2024-02-01"
MOST_SERIES = 5000
HOUR, MINUTE = "PT1H", "PT1M"
_WORDS = {HOUR: "hours", MINUTE: "minutes"}
_RESOURCE = re.compile(r"/?subscriptions/[^\s?#/]+/resourcegroups/[^\s?#/]+/providers(/[^\s?#/]+){3,}", re.IGNORECASE)


def _are_resources(resources: tuple[str, ...]) -> tuple[str, ...]:
    for resource in resources:
        if not _RESOURCE.fullmatch(resource.rstrip("/")):
            raise ValueError(f"{resource!r} is no resource's full id, /subscriptions/<id>/resourceGroups/<group>/...")
    cleaned = tuple(resource.strip("/").lower() for resource in resources)
    if len(set(cleaned)) < len(cleaned):
        raise ValueError("names a resource twice")
    return cleaned


Resources = Annotated[tuple[str, ...], AfterValidator(_are_resources)]
"""Full ids of resources, in small letters and without a slash at either end."""


@dataclass(frozen=True)
class MetricSeries:
    """One metric of one resource under one set of dimensions; `points` are (instant, value), those that have one."""

    metric: str
    resource: str
    region: str | None
    dimensions: Mapping[str, str]
    points: list[tuple[str, Any]]


def metrics_address(endpoint: str, resource: str) -> str:
    """Where a resource's metrics are asked for."""
    return f"{endpoint}/{resource}/providers/Microsoft.Insights/metrics"


def metrics_question(
    window: Window, names: Collection[str], interval: str, dimensions: Collection[str]
) -> dict[str, str]:
    """Means and sums of the window's intervals, apart by each of the dimensions."""
    return {
        "api-version": API_VERSION,
        "metricnames": ",".join(names),
        "timespan": f"{utc_text(window.start)}/{utc_text(window.end)}",
        "interval": interval,
        "aggregation": "Total,Average",
        "$filter": " and ".join(f"{name} eq '*'" for name in dimensions),
        "top": str(MOST_SERIES),  # without it the service returns ten series and does not say that there are more
    }


def read_series(answer: Any, name: str, interval: str, averaged: Collection[str]) -> Iterator[MetricSeries]:
    """The series of an answer. Metrics in `averaged` are told by their mean, the others by their sum.

    Raises IncompleteDeliveryError for what is no whole answer of such intervals: also for a metric that is not
    available, or has as many series as fit into an answer.
    """
    try:
        if answer["interval"] != interval:
            raise IncompleteDeliveryError(
                f"{name}: the answer is of intervals of {answer['interval']}; {_WORDS[interval]} were asked for"
            )
        for metric in answer["value"]:
            yield from _of_metric(metric, answer.get("resourceregion"), name, averaged)
    except (KeyError, TypeError, AttributeError) as error:
        raise IncompleteDeliveryError(
            f"{name}: this is no answer of Azure Monitor about metrics ({error!r}); was something put in its way?"
        ) from None


def _of_metric(metric: Any, region: str | None, name: str, averaged: Collection[str]) -> Iterator[MetricSeries]:
    called = metric["name"]["value"]
    if metric.get("errorCode", "Success") != "Success":
        raise IncompleteDeliveryError(
            f"{name}: {called} is not available ({metric['errorCode']}); nothing is known of it, which is not zero: "
            "run the day again"
        )
    if len(metric["timeseries"]) >= MOST_SERIES:
        raise IncompleteDeliveryError(
            f"{name}: {called} has {MOST_SERIES:,} series or more, and the rest was left out; this source reads fewer "
            "of one resource"
        )
    resource = metric["id"].lower().partition("/providers/microsoft.insights")[0].strip("/")
    told = "average" if called in averaged else "total"
    for series in metric["timeseries"]:
        dimensions = {d["name"]["value"].lower(): str(d["value"]) for d in series.get("metadatavalues") or ()}
        measured = ((point["timeStamp"], point.get(told)) for point in series.get("data") or ())
        points = [(at, value) for at, value in measured if value is not None]
        yield MetricSeries(called, f"/{resource}", region, dimensions, points)
