"""Pods that held GPUs, as rows of `gpu_allocations`.

A container holds what it requests while its pod's phase is Running: pods that ended go on showing their requests.

Here belongs: what the series about pods mean. Here does not belong: samples and time (marks, stretches).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from connectors.base import Window
from connectors.exact import json_text
from connectors.kubernetes import gpus, series
from connectors.kubernetes.facts import Facts, count, new_labels, pieces, provenance
from connectors.kubernetes.label_names import chosen
from connectors.kubernetes.marks import Labelled, Marks, Seen
from connectors.kubernetes.series import own, unknown_labels
from connectors.kubernetes.settings import KubernetesAllocationsSettings
from connectors.kubernetes.stretches import Fact, Segment, segments

METRICS = frozenset({series.REQUESTS, series.PHASE, series.OWNER, series.POD_LABELS, series.CLAIMS, series.NODE_LABELS})
_MADE_BY_DEPLOYMENT = re.compile(r"(.+)-[bcdfghjklmnpqrstvwxz2456789]{5,10}")  # the letters of Kubernetes' hashes


@dataclass(frozen=True)
class Asked:
    """A container asks for so many GPUs."""

    gpus: Decimal


@dataclass(frozen=True)
class Running:
    """The pod is in the phase Running."""


@dataclass(frozen=True)
class Owner:
    """What made the pod. The one that controls it sorts first."""

    rank: int
    kind: str
    name: str


@dataclass(frozen=True)
class Claim:
    """The pod holds devices by a claim of Kubernetes' dynamic resource allocation."""

    name: str


@dataclass(frozen=True)
class Labels:
    """Labels of the pod, of those that are let through."""

    pairs: tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """What one container of a pod asked for."""

    uid: str
    namespace: str
    pod: str
    container: str
    node: str
    resource: str


@dataclass
class Pods:
    """Everything that was said of pods in a window."""

    settings: KubernetesAllocationsSettings
    requests: Facts[Request] = field(default_factory=Facts[Request])
    of_pods: Facts[str] = field(default_factory=Facts[str])
    of_nodes: Facts[str] = field(default_factory=Facts[str])
    extra: dict[Request, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, found: Labelled) -> None:
        """Takes what one set of labels says in each of its metrics."""
        for (metric, value), marks in found.marks.items():
            if value == 0:
                continue  # asks for nothing; is not in that phase
            if metric == series.REQUESTS:
                self._take_request(found.labels, value, marks)
            elif metric == series.NODE_LABELS:
                self.of_nodes.add(own(found.labels, "node"), gpus.of_node(found.labels), marks)
            else:
                self.of_pods.add(_uid(found.labels), self._fact(metric, found.labels), marks)

    def notices(self) -> list[str]:
        """What is to be told of the delivery as a whole."""
        told = new_labels(self.extra.values())
        phases = any(isinstance(fact, Running) for facts in self.of_pods.marks.values() for fact in facts)
        if self.requests.marks and not phases:
            told.append(
                f"{len(self.requests.marks)} containers ask for GPUs and no pod runs by {series.PHASE}: is that metric "
                "scraped? Without it nothing is held"
            )
        if changed := sum(len(facts) > 1 for facts in self.requests.marks.values()):
            told.append(f"{changed} containers asked for different numbers of GPUs; of two at once the higher counts")
        return told

    def _take_request(self, labels: Mapping[str, str], value: float, marks: Marks) -> None:
        namespace, pod, container, node = (own(labels, name) for name in ("namespace", "pod", "container", "node"))
        request = Request(_uid(labels), namespace, pod, container, node, labels.get("resource", ""))
        self.requests.add(request, Asked(count(value)), marks)
        self.extra[request].update(unknown_labels(labels))

    def _fact(self, metric: str, labels: Mapping[str, str]) -> Fact:
        if metric == series.PHASE:
            return Running()
        if metric == series.OWNER:
            rank = 0 if labels.get("owner_is_controller") == "true" else 1
            return Owner(rank, labels.get("owner_kind", ""), labels.get("owner_name", ""))
        if metric == series.CLAIMS:
            return Claim(labels.get("resourceclaim_name") or labels.get("claim_name", ""))
        names = (*self.settings.pod_labels, self.settings.model_label)
        return Labels(tuple(sorted(chosen(labels, names).items())))


def allocations(pods: Pods, seen: Seen, window: Window) -> Iterator[dict[str, Any]]:
    """Rows of `gpu_allocations`, as dictionaries."""
    of_pods, of_nodes = pods.of_pods.held(seen), pods.of_nodes.held(seen)
    for request, held in pods.requests.held(seen).items():
        for segment in segments(held, [*of_pods.get(request.uid, []), *of_nodes.get(request.node, [])]):
            if not segment.said(Running):
                continue
            for start, end in pieces(segment, window):
                yield {
                    "allocation_date": start.date(),
                    "started_at": start,
                    "ended_at": end,
                    "allocated_gpus": max(asked.gpus for asked in segment.said(Asked)),
                    **_of_request(request, segment),
                    **_of_pod(request, segment, pods.settings),
                    "x_extra": json_text(pods.extra[request]) if pods.extra[request] else None,
                    **provenance(pods.settings, window, seen, segment),
                }


def _of_request(request: Request, segment: Segment) -> dict[str, Any]:
    resource = gpus.of_resource(request.resource)
    node = next(iter(segment.said(gpus.Kind)), gpus.UNKNOWN)
    return {
        "hostname": request.node,
        "holder_kind": "pod",
        "allocation_id": request.uid,
        "namespace": request.namespace,
        "pod": request.pod,
        "container": request.container,
        "resource_name": request.resource,
        "is_shared": resource.is_shared or node.is_shared,
        "gpu_uuid": "",
        "gpu_index": -1,
        "gpu_instance_id": "",
        "mig_profile": resource.mig_profile or node.mig_profile,
        "gpu_model_name": node.model_name,
    }


def _of_pod(request: Request, segment: Segment, settings: KubernetesAllocationsSettings) -> dict[str, Any]:
    labels = dict(pair for fact in segment.said(Labels) for pair in fact.pairs)
    kind, name = next((_workload(owner, request.pod) for owner in segment.said(Owner)), (None, None))
    model_name = labels.get(settings.model_label)
    kept = {label: value for label, value in labels.items() if label in settings.pod_labels}
    if claims := segment.said(Claim):
        kept["resourceclaims"] = ",".join(claim.name for claim in claims)
    return {
        "workload_kind": kind,
        "workload_name": name,
        "model_name": model_name,
        "labels": json_text(kept) if kept else None,
    }


def _workload(owner: Owner, pod: str) -> tuple[str, str]:
    """Kind and name of what made the pod. A ReplicaSet with a hash in its name was made by a Deployment."""
    if owner.kind in ("", "<none>"):
        return "Pod", pod
    if owner.kind == "ReplicaSet" and (cut := _MADE_BY_DEPLOYMENT.fullmatch(owner.name)):
        return "Deployment", cut[1]
    return owner.kind, owner.name


def _uid(labels: Mapping[str, str]) -> str:
    """The pod's uid; kube-state-metrics before 2.1 does not tell, then its namespace and name."""
    return labels.get("uid") or f"{own(labels, 'namespace')}/{own(labels, 'pod')}"
