"""Answers of Cloud Monitoring about GPUs: each time series as one of a GPU, and whose GPU it is.

Here belongs: labels, units, points. Here does not belong: asking, and which metrics there are (`gpu_families`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.base import IncompleteDeliveryError
from connectors.fields import printable, shown
from connectors.gcp.gpu_families import ASKED, MACHINE, NODE, Asked
from connectors.gpu_series import Gpu, Metric, Place, Samples, Series, index_of

_IDENTIFIERS = ("GPU-", "MIG-")
_TOLD = {
    "project_id": "project_id",
    "zone": "zone",
    "location": "location",
    "instance_id": "vm_id",
    "cluster_name": "cluster_name",
    "make": "make",
}
_TAKEN = frozenset(
    {"uuid", "gpu_number", "model", "accelerator_id", "node_name", "name"}
    | {"namespace_name", "pod_name", "container_name", "memory_state", "state", "pipe"}
)


def page_series(answer: Any, name: str, samples: Samples) -> Iterator[Series]:
    """The series of an answer that are of GPUs.

    Raises IncompleteDeliveryError for what is no whole answer, and for units in which values would be misread.
    """
    if not isinstance(answer, Mapping) or "error" in answer or not isinstance(answer.get("timeSeries", []), list):
        raise IncompleteDeliveryError(f"{name}: this is no list of time series; fetch the day again")
    if errors := answer.get("executionErrors"):
        raise IncompleteDeliveryError(
            f"{name}: Cloud Monitoring left something out: {shown(errors)}. What is missing is not "
            "zero: run the day again"
        )
    for found in answer.get("timeSeries", []):
        try:
            series = _series(found, str(answer.get("unit", "")), name)
        except (KeyError, TypeError, AttributeError) as error:
            raise IncompleteDeliveryError(
                f"{name}: this is no time series of a metric that was asked for ({error!r}); fetch the day again"
            ) from None
        if series is None:
            samples.note("series were left out: they are of no NVIDIA GPU, or of a state of memory without a column")
        else:
            yield series


def _series(found: Any, unit: str, name: str) -> Series | None:
    asked = ASKED[found["metric"]["type"]]
    system, of_metric = found.get("metadata") or {}, found["metric"]
    told: list[Any] = [system.get("systemLabels"), of_metric.get("labels"), found["resource"]["labels"]]
    labels = {str(key): printable(str(value)) for held in told for key, value in (held or {}).items()}
    metric = asked.metrics.get(labels.get(asked.by, "") if asked.by else "")
    if metric is None or labels.get("make", "nvidia").lower() != "nvidia":
        return None
    if unit not in asked.units:
        raise IncompleteDeliveryError(
            f"{name}: {found['metric']['type']} is told in {unit!r}; {' or '.join(sorted(asked.units - {''}))} was "
            "expected, and in any other unit it would be misread"
        )
    gpu, place = _whose(asked, labels)
    extra = {_TOLD.get(key, key): value for key, value in labels.items() if key not in _TAKEN}
    new = tuple(key for key in labels if key not in _TAKEN and key not in _TOLD)
    described = {key: value for key, value in found.items() if key != "points"}
    return Series(gpu, place, metric, list(_points(found)), extra, new, described)


def _whose(asked: Asked, labels: Mapping[str, str]) -> tuple[Gpu, Place]:
    """The GPU by its UUID, else by machine and index; the machine by its name, which bills and clusters know."""
    if asked.resource == MACHINE:
        machine = labels.get("name") or labels["instance_id"]
        identifier, number = labels.get("uuid", ""), labels.get("gpu_number")
        holder = ("", "", "")
    else:
        machine = labels.get("node_name")
        identifier = number = labels["accelerator_id"]
        holder = ("", "", "") if asked.resource == NODE else _holder(labels)
    if not identifier.startswith(_IDENTIFIERS):
        identifier = f"{machine or '/'.join(holder)}/{number}"
    place = Place(
        machine,
        machine,
        index_of(number),
        gpu_model_name=labels.get("model"),
        tells_holders=asked.resource != MACHINE,  # of nodes and of containers GKE is always asked together
    )
    return Gpu(identifier, "", *holder), place


def _holder(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels["namespace_name"], labels["pod_name"], labels["container_name"]


def _points(found: Any) -> Iterator[tuple[Any, Any]]:
    for point in found.get("points", ()):
        value = point["value"]
        yield point["interval"]["endTime"], value.get("doubleValue", value.get("int64Value"))


def known_metrics() -> list[Metric]:
    """Every metric that a series may have."""
    return [metric for asked in ASKED.values() for metric in asked.metrics.values()]
