"""What an answer of Azure Monitor says: one row for each deployment and hour, made of the metrics that count it.

A point without a value says that nothing is known, and stays NULL; an hour of which no metric says anything has no row.
How much of the prompt came from a cache is known as a rate alone, so that the split of the input stays unknown.

Here belongs: metrics, dimensions, hours. Here does not belong: asking.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.azure.monitor import HOUR, read_series
from connectors.base import Window
from connectors.exact import read_time
from connectors.fields import RowError, amount, count, text
from connectors.gathered import StagedRow, extra_json

PROVIDER = "Microsoft"
_HOUR = timedelta(hours=1)

INPUT = ("ProcessedPromptTokens", "InputTokens")
OUTPUT = ("GeneratedTokens", "OutputTokens")
REQUESTS = ("AzureOpenAIRequests", "ModelRequests")
UTILISATION = ("AzureOpenAIProvisionedManagedUtilizationV2", "ProvisionedUtilization")
CACHE_RATE = ("AzureOpenAIContextTokensCacheMatchRate", "TokensCacheMatchRate")
METRICS: Mapping[str, tuple[str, ...]] = {
    "azure_openai": (INPUT[0], OUTPUT[0], REQUESTS[0], UTILISATION[0], CACHE_RATE[0]),
    "models": (INPUT[1], OUTPUT[1], REQUESTS[1]),
    # apart: an account without throughput units may lack these two, and then refuses the whole question
    "models_provisioned": (INPUT[1], OUTPUT[1], REQUESTS[1], UTILISATION[1], CACHE_RATE[1]),
}
_AVERAGED = (*UTILISATION, *CACHE_RATE)
_KNOWN = frozenset((*INPUT, *OUTPUT, *REQUESTS, *_AVERAGED))
_DIMENSIONS = ("modeldeploymentname", "modelname", "modelversion")


@dataclass(frozen=True)
class Point:
    """One hour of one combination of dimensions; `found` is what is kept when it cannot be staged."""

    resource: str
    region: str | None
    at: str
    dimensions: Mapping[str, str]
    values: Mapping[str, Any]

    @property
    def found(self) -> Mapping[str, Any]:
        """The point as JSON."""
        return {"resource": self.resource, "timeStamp": self.at, **self.dimensions, **self.values}


def read_points(answer: Any, name: str) -> list[Point]:
    """The hours of an answer, in a fixed order.

    Raises IncompleteDeliveryError when it is no whole answer of hours.
    """
    points = dict[tuple[Any, ...], Point]()
    for series in read_series(answer, name, HOUR, _AVERAGED):
        for at, measured in series.points:
            key = (series.resource, at, *sorted(series.dimensions.items()))
            point = points.setdefault(key, Point(series.resource, series.region, at, series.dimensions, {}))
            points[key] = replace(point, values={**point.values, series.metric: measured})
    return [points[key] for key in sorted(points)]


def stage_point(point: Point, window: Window) -> StagedRow:
    """The contract's columns. Raises RowError for an hour outside of the window, and for what is no count."""
    start = read_time(point.at)
    if start is None or not window.start <= start < window.end or start != start.replace(minute=0, second=0):
        raise RowError(
            "wrong_time", f"timeStamp is {point.at}; an hour of {window.slice_date} was expected", "timeStamp"
        )
    values = {name: value for name, value in point.values.items() if name in _KNOWN}
    new = {name: value for name, value in point.values.items() if name not in _KNOWN}
    new |= {name: value for name, value in point.dimensions.items() if name not in _DIMENSIONS}
    tokens, utilisation = _tokens(values), _average(values, UTILISATION)
    requests = next((found for name in REQUESTS if (found := count(values, name)) is not None), None)
    is_capacity = requests is None and not any(tokens.values())
    staged = {
        **_when(start),
        **tokens,
        "provider_name": PROVIDER,
        "operation": "provisioned_throughput" if is_capacity and utilisation is not None else "inference",
        "sub_account_id": _subscription(point.resource),
        "resource_id": point.resource,
        "deployment_id": text(point.dimensions, _DIMENSIONS[0]),
        "model": text(point.dimensions, _DIMENSIONS[1]),
        "service_tier": None if utilisation is None else "provisioned",
        "region_id": point.region,
        "request_count": requests,
        "utilisation_ratio": None if utilisation is None else float(utilisation / 100),
        "x_extra": extra_json(
            {
                "model_version": text(point.dimensions, _DIMENSIONS[2]),
                "cache_match_percent": _average(values, CACHE_RATE),
                **new,
            }
        ),
    }
    return StagedRow(staged, (point.resource, point.at, sorted(point.dimensions.items())), new)


def _average(values: Mapping[str, Any], names: tuple[str, ...]) -> Decimal | None:
    """The one of several metrics of the same meaning that the resource has."""
    return next((found for name in names if (found := amount(values, name)) is not None), None)


def _subscription(resource: str) -> str | None:
    """The subscription's id: bills know the account that pays by it."""
    found = re.match(r"/subscriptions/([^/]+)", resource)
    return found[1] if found else None


def _when(start: datetime) -> dict[str, Any]:
    return {"usage_start": start, "usage_end": start + _HOUR, "usage_date": start.date()}


def _tokens(values: Mapping[str, Any]) -> dict[str, Any]:
    """Prompts hold what came from a cache, and nothing says how much: the input's parts stay unknown."""
    prompt = next((found for name in INPUT if (found := count(values, name)) is not None), None)
    generated = next((found for name in OUTPUT if (found := count(values, name)) is not None), None)
    return {
        "input_total_tokens": prompt,
        "output_text_tokens": generated,
        "output_total_tokens": generated,
        "input_semantics": None if prompt is None else "inclusive",
    }
