"""Pods that held GPUs, as rows of `gpu_allocations`.

A container holds what it requests from the moment its pod has a node: while the pod is Pending there (its image is
pulled, its first containers run) and while it is Running. Pods that ended go on showing their requests. Containers that
run before the others are given what those hold; a pod that needs more for them keeps the rest as long as it lives.

Here belongs: what the series about pods mean together. Here does not belong: samples and time (marks, stretches).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from connectors.base import Window
from connectors.exact import json_text
from connectors.kubernetes import gpus, series
from connectors.kubernetes.facts import pieces, provenance
from connectors.kubernetes.marks import Seen
from connectors.kubernetes.pods import Asked, AskedBy, Claim, Labels, Owner, Phase, Pods, Request
from connectors.kubernetes.settings import KubernetesAllocationsSettings
from connectors.kubernetes.stretches import Held, Segment, segments

_MADE_BY_DEPLOYMENT = re.compile(r"(.+)-[bcdfghjklmnpqrstvwxz2456789]{5,10}")  # the letters of Kubernetes' hashes

HeldFacts = Mapping[str, list[Held]]
HeldRequests = Mapping[Request, list[Held]]
Share = tuple[Request, Decimal, Segment]
"""What a container holds over a segment."""


def allocations(pods: Pods, seen: Seen, window: Window) -> Iterator[dict[str, Any]]:
    """Rows of `gpu_allocations`, as dictionaries."""
    of_pods, of_nodes = pods.of_pods.held(seen), pods.of_nodes.held(seen)
    asked = pods.requests.held(seen)
    for request, gpus_held, segment in (
        *_of_containers(asked, of_pods, of_nodes),
        *_of_first(asked, of_pods, of_nodes),
    ):
        for start, end in pieces(segment, window):
            yield {
                "allocation_date": start.date(),
                "started_at": start,
                "ended_at": end,
                "allocated_gpus": gpus_held,
                **_of_request(request, segment),
                **_of_pod(request, segment, pods.settings),
                "x_extra": json_text(pods.extra[request]) if pods.extra[request] else None,
                **provenance(pods.settings, window, seen, segment),
            }


def _of_containers(asked: HeldRequests, of_pods: HeldFacts, of_nodes: HeldFacts) -> Iterator[Share]:
    """What each container of a pod holds, but for those that run before the others."""
    for request, held in asked.items():
        beside = [*of_pods.get(request.uid, []), *of_nodes.get(request.node, [])]
        for segment in () if request.is_init else segments(held, beside):
            if _is_held(request, segment):
                yield request, max(one.gpus for one in segment.said(Asked)), segment


def _of_first(asked: HeldRequests, of_pods: HeldFacts, of_nodes: HeldFacts) -> Iterator[Share]:
    """What a pod keeps for a container that ran first, beyond what the others hold together."""
    by_pod: dict[tuple[str, str, str], list[Held]] = defaultdict(list)
    for request, held in asked.items():
        named = [(one, AskedBy(request, fact.gpus)) for one, fact in held if isinstance(fact, Asked)]
        by_pod[request.uid, request.node, request.resource] += named
    firsts = {(request.uid, request.node, request.resource) for request in asked if request.is_init}
    for key in sorted(firsts):
        for segment in segments(by_pod[key], [*of_pods.get(key[0], []), *of_nodes.get(key[1], [])]):
            most: dict[Request, Decimal] = {}
            for one in segment.said(AskedBy):
                most[one.request] = max(one.gpus, most.get(one.request, one.gpus))
            first = max((request for request in most if request.is_init), key=most.__getitem__, default=None)
            rest = sum((gpus for request, gpus in most.items() if not request.is_init), Decimal(0))
            if first is not None and most[first] > rest and _is_held(first, segment):
                yield first, most[first] - rest, segment


def _is_held(request: Request, segment: Segment) -> bool:
    phases = {phase.name for phase in segment.said(Phase)}
    return series.RUNNING in phases or (series.PENDING in phases and request.node != "")


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
