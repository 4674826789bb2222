"""Who counted: the engine and model that a series speaks of, from its labels.

Here belongs: the labels' many names. Here does not belong: values, and what a metric counts.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from connectors.fields import printable
from connectors.serving.metrics import Engine, Metric, named
from connectors.serving.settings import ServingSettings

RANKS = ("tp_rank", "pp_rank", "moe_ep_rank")
"""Ranks that work on the same tokens together: each of them counts all of these."""

_COPIES = ("job", "service", "endpoint", "prometheus", "prometheus_replica", "__replica__")
_WHERE = frozenset(
    """
    __name__ namespace pod container node instance exported_namespace exported_pod exported_container exported_instance
    exported_job kubernetes_namespace kubernetes_pod_name kubernetes_node pod_name pod_namespace container_name hostname
    Hostname cluster model_name model served_model_name engine engine_type replica ReplicaId WorkerId deployment
    application NodeAddress SessionName Version Component JobId gpu_uuid
    """.split()  # noqa: SIM905 - a list of words, to be read as one
)
_COUNTED = frozenset(
    {"finished_reason", "source", "mode", "is_streaming", "cache_source", "version", "err", "method", "reason", "le"}
    | {"dp_rank", "priority", "routing_key"}
)


class Subject(NamedTuple):
    """One replica of an engine, and the model that it serves. Empty text stands for none."""

    engine: Engine
    namespace: str
    pod: str
    replica: str
    model: str
    port: str


class Origin(NamedTuple):
    """One set of labels: of whom, of which process, by which copy of the monitoring, and what else it tells apart.

    `subject` is None for what is true of the process as a whole. `ranks` are those of RANKS, to choose one by.
    """

    subject: Subject | None
    process: tuple[str, str, str]
    copy: tuple[str, ...]
    counted: tuple[tuple[str, str], ...]
    ranks: tuple[str, ...]
    hostname: str | None
    new_labels: tuple[tuple[str, str], ...]
    metric: Metric


def read_labels(name: str, labels: Mapping[str, str], target: str, settings: ServingSettings) -> list[Origin]:
    """What the labels of a metric of that name say; nothing where it is no engine's that the settings want."""
    found = named(name)
    if found is None or (found.engine is not None and found.engine not in settings.engines):
        return []
    instance = labels.get("exported_instance") or labels.get("instance", "")
    pod = _first(labels, "exported_pod", "pod", "kubernetes_pod_name", "pod_name") or target or instance
    namespace = _first(labels, "exported_namespace", "namespace", "kubernetes_namespace", "pod_namespace")
    port = instance.rpartition(":")[2] if ":" in instance else ""
    model = _first(labels, *settings.model_labels) or _set_model(f"{namespace}/{pod}", settings)
    if found.engine == "nim" and not _first(labels, *settings.model_labels):
        return []  # without a prefix the name could be anybody's
    subject = None
    if found.engine is not None:
        subject = Subject(found.engine, printable(namespace), printable(pod), _replica(labels), printable(model), port)
    return [
        Origin(
            subject,
            (namespace, pod, port),
            tuple(labels.get(label, "") for label in _COPIES),
            tuple(sorted((label, value) for label, value in labels.items() if label in _COUNTED)),
            tuple(labels.get(label, "") for label in RANKS),
            _first(labels, "node", "kubernetes_node", "hostname", "Hostname") or None,
            tuple(sorted((label, value) for label, value in labels.items() if _is_new(label))),
            metric,
        )
        for metric in found.metrics
        if metric.only is None or labels.get(metric.only[0]) in metric.only[1]
    ]


def _first(labels: Mapping[str, str], *names: str) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _set_model(where: str, settings: ServingSettings) -> str:
    return next((model for pattern, model in settings.models.items() if re.search(pattern, where)), "")


def _replica(labels: Mapping[str, str]) -> str:
    """Ray's replica or worker, and the engine's number in its process: engines of one pod stay apart."""
    owner = _first(labels, "ReplicaId", "WorkerId", "replica")
    return printable("/".join(part for part in (owner, labels.get("engine", "")) if part))


def _is_new(label: str) -> bool:
    return label not in _WHERE and label not in _COPIES and label not in _COUNTED and label not in RANKS
