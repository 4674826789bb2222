"""A small cluster as kube-state-metrics tells of it, sampled minute by minute; its settings.

A `Sampled` series can be written as the answer of a server, as scrapes, and as OpenMetrics for a real server's blocks.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from connectors.base import Parsed
from connectors.kubernetes.allocations import SOURCE as ALLOCATIONS
from connectors.kubernetes.nodes import SOURCE as NODES
from tests.connectors.conformance import land
from tests.connectors.dcgm.written import WINDOW, answer, epoch, page

REQUESTS = "kube_pod_container_resource_requests"
INIT_REQUESTS = "kube_pod_init_container_resource_requests"
PHASE = "kube_pod_status_phase"
OWNER = "kube_pod_owner"
POD_LABELS = "kube_pod_labels"
CLAIMS = "kube_pod_resourceclaim_info"
INFO = "kube_node_info"
NODE_LABELS = "kube_node_labels"
CAPACITY = "kube_node_status_capacity"
ALLOCATABLE = "kube_node_status_allocatable"
CORDONED = "kube_node_spec_unschedulable"

A100 = {
    "label_nvidia_com_gpu_product": "NVIDIA-A100-SXM4-80GB",
    "label_nvidia_com_gpu_count": "8",
    "label_nvidia_com_gpu_replicas": "1",
}


class Sampled(NamedTuple):
    """A series with its samples: seconds since 1970, and the value."""

    metric: str
    labels: Mapping[str, str]
    samples: Sequence[tuple[int, object]]


def at(clock: str) -> datetime:
    """An instant of the day, HH:MM[:SS]."""
    return datetime.fromisoformat(f"2026-10-01T{clock}")


def sampled(
    metric: str, labels: Mapping[str, str], start: str, end: str, value: object = 1, step_seconds: int = 60
) -> Sampled:
    """The series at every step from `start` until before `end`."""
    until = epoch(end) if end != "24:00" else epoch("00:00") + 86_400
    return Sampled(metric, labels, [(second, value) for second in range(epoch(start), until, step_seconds)])


def without(series: Iterable[Sampled], start: str, end: str) -> list[Sampled]:
    """What is left of the series where the source was silent from `start` until before `end`."""
    silent = range(epoch(start), epoch(end))
    return [one._replace(samples=[sample for sample in one.samples if sample[0] not in silent]) for one in series]


def pod(name: str, **more: str) -> dict[str, str]:
    """The labels that say which pod it is."""
    return {"namespace": "serving", "pod": name, "uid": f"uid-{name}", **more}


def request(name: str, start: str, end: str, *, node: str = "gpu-1", gpus: object = 1, **more: str) -> Sampled:
    """A container's request for GPUs."""
    labels = {**pod(name), "container": "main", "node": node, "resource": "nvidia_com_gpu", "unit": "integer", **more}
    return sampled(REQUESTS, labels, start, end, gpus)


def running(name: str, start: str, end: str) -> Sampled:
    """A pod in the phase Running."""
    return sampled(PHASE, pod(name, phase="Running"), start, end)


def held(name: str, start: str, end: str, **more: Any) -> list[Sampled]:
    """A pod that runs as long as it requests."""
    return [request(name, start, end, **more), running(name, start, end)]


def as_answer(series: Iterable[Sampled], **more: Any) -> bytes:
    """A server's answer."""
    return answer(
        *(
            {
                "metric": {"__name__": one.metric, **one.labels},
                "values": [[second, str(value)] for second, value in one.samples],
            }
            for one in series
        ),
        **more,
    )


def as_lines(one: Sampled, per_second: int) -> list[str]:
    """A line for each sample, with its instant: 1000 for milliseconds (text format), 1 for seconds (OpenMetrics)."""
    inside = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
    return [f"{one.metric}{{{inside}}} {value} {second * per_second}" for second, value in one.samples]


def as_page(series: Iterable[Sampled]) -> bytes:
    """A scrape file in the text format."""
    return page(*(line for one in series for line in as_lines(one, 1000)))


def as_openmetrics(series: Sequence[Sampled]) -> str:
    """All series, for `promtool tsdb create-blocks-from openmetrics`."""
    lines: list[str] = []
    for metric in dict.fromkeys(one.metric for one in series):
        lines.append(f"# TYPE {metric} gauge")
        lines += [line for one in series if one.metric == metric for line in as_lines(one, 1)]
    return "\n".join([*lines, "# EOF", ""])


def settings(source: Any, **over: Any) -> Any:
    given = {"name": "cluster", "kind": source.kind, "account": "prod-eu1", **over}
    return source.settings_model.model_validate(given if "url" in given else {"scrapes": "unused", **given})


def parse(source: Any, *pages: bytes, **over: Any) -> Parsed:
    """The whole delivery; the tests here are far below one chunk."""
    (parsed,) = source.parse(settings(source, **over), WINDOW, land(pages))
    return parsed


def allocated(series: Iterable[Sampled], **over: Any) -> list[dict[str, Any]]:
    """Allocations of series that a server answered with, in the order of their beginning; nothing was refused."""
    return _rows(parse(ALLOCATIONS, as_answer(series), **{"url": "http://p", **over}), "started_at")


def sighted(series: Iterable[Sampled], **over: Any) -> list[dict[str, Any]]:
    """Sightings of nodes likewise."""
    return _rows(parse(NODES, as_answer(series), **{"url": "http://p", **over}), "seen_from")


def intervals(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """When rows begin and end, as HH:MM:SS; the next midnight is 24:00:00."""
    begin, end = ("started_at", "ended_at") if "started_at" in (rows := list(rows))[0] else ("seen_from", "seen_to")
    return [
        (f"{row[begin]:%H:%M:%S}", "24:00:00" if row[end] == WINDOW.end else f"{row[end]:%H:%M:%S}") for row in rows
    ]


def _rows(parsed: Parsed, begin: str) -> list[dict[str, Any]]:
    assert parsed.rejects == ()
    table: pa.Table = parsed.rows.sort_by([(begin, "ascending")])
    return table.to_pylist()
