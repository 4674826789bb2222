"""Nodes that offer GPUs, as rows of `node_sightings`.

Here belongs: what the series about nodes mean. Here does not belong: samples and time (marks, stretches).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from connectors.base import Window
from connectors.exact import json_text
from connectors.kubernetes import gpus, machines, series
from connectors.kubernetes.facts import Facts, count, new_labels, pieces, provenance
from connectors.kubernetes.label_names import chosen
from connectors.kubernetes.marks import Labelled, Seen
from connectors.kubernetes.series import own, unknown_labels
from connectors.kubernetes.settings import KubernetesNodesSettings
from connectors.kubernetes.stretches import Fact, Segment, segments

METRICS = frozenset({series.NODE_INFO, series.NODE_LABELS, series.CAPACITY, series.ALLOCATABLE, series.CORDONED})
_GIB = 1 << 30
_READ = (*gpus.LABELS, *machines.PURCHASE_LABELS)


@dataclass(frozen=True)
class Machine:
    """Which machine the node is."""

    provider_id: str = ""
    system_uuid: str = ""
    internal_ip: str = ""


@dataclass(frozen=True)
class Offer:
    """The node has, or (allocatable) can give, so many of a resource."""

    resource: str
    count: Decimal
    is_allocatable: bool


@dataclass(frozen=True)
class Size:
    """The node has so many cores, or so many bytes of memory."""

    resource: str
    count: Decimal


@dataclass(frozen=True)
class Cordoned:
    """Whether the node takes no new work."""

    is_cordoned: bool


@dataclass(frozen=True)
class Labels:
    """Labels of the node, of those that are read or let through."""

    pairs: tuple[tuple[str, str], ...]


@dataclass
class Nodes:
    """Everything that was said of nodes in a window."""

    settings: KubernetesNodesSettings
    facts: Facts[str] = field(default_factory=Facts[str])
    with_gpus: set[str] = field(default_factory=set)
    extra: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def take(self, found: Labelled) -> None:
        """Takes what one set of labels says in each of its metrics."""
        node = own(found.labels, "node")
        for (metric, value), marks in found.marks.items():
            fact = self._fact(metric, value, found.labels)
            if fact is None:
                continue
            if isinstance(fact, Offer) or (isinstance(fact, Labels) and gpus.PRODUCT in dict(fact.pairs)):
                self.with_gpus.add(node)
            self.facts.add(node, fact, marks)
            self.extra[node].update(unknown_labels(found.labels))

    def notices(self) -> list[str]:
        """What is to be told of the delivery as a whole."""
        return new_labels(self.extra[node] for node in sorted(self.with_gpus))

    def _fact(self, metric: str, value: float, labels: Mapping[str, str]) -> Fact | None:
        if labels.get("resource") in series.SIZES:
            return Size(labels["resource"], count(value)) if metric == series.CAPACITY else None
        if metric in (series.CAPACITY, series.ALLOCATABLE):
            return Offer(labels.get("resource", ""), count(value), metric == series.ALLOCATABLE)
        if metric == series.CORDONED:
            return Cordoned(value > 0)
        if metric == series.NODE_INFO:
            return Machine(*(labels.get(one.name, "") for one in fields(Machine)))
        return Labels(tuple(chosen(labels, (*_READ, *self.settings.node_labels)).items()))


def sightings(nodes: Nodes, seen: Seen, window: Window) -> Iterator[dict[str, Any]]:
    """Rows of `node_sightings`, as dictionaries: of nodes that offer GPUs, or say that they have some."""
    for node, held in nodes.facts.held(seen).items():
        for segment in segments(held) if node in nodes.with_gpus else ():
            for start, end in pieces(segment, window):
                yield {
                    "sighting_date": start.date(),
                    "seen_from": start,
                    "seen_to": end,
                    "hostname": node,
                    **_machine(segment),
                    **_size(segment),
                    **_labels(segment, nodes.settings),
                    **_offer(segment, nodes.extra[node]),
                    **provenance(nodes.settings, window, seen, segment),
                }


def _machine(segment: Segment) -> dict[str, Any]:
    machine = next(iter(segment.said(Machine)), Machine())
    return {
        "provider_id": machine.provider_id,
        "instance_id": machines.instance_id(machine.provider_id),
        "system_uuid": machine.system_uuid or None,
        "internal_ip": machine.internal_ip or None,
    }


def _offer(segment: Segment, extra: Mapping[str, str]) -> dict[str, Any]:
    """What the node offers. Of two numbers at once, which two exporters say, the higher one counts."""
    offered: dict[str, dict[str, Decimal]] = {"capacity": {}, "allocatable": {}}
    for offer in segment.said(Offer):
        of_kind = offered["allocatable" if offer.is_allocatable else "capacity"]
        of_kind[offer.resource] = max(offer.count, of_kind.get(offer.resource, offer.count))
    labels = dict(pair for fact in segment.said(Labels) for pair in fact.pairs)
    count = gpus.whole(labels.get(gpus.COUNT))
    cordoned = [fact.is_cordoned for fact in segment.said(Cordoned)]
    kept = {**extra, **{name: counts for name, counts in offered.items() if counts}}
    return {
        "gpu_count": gpus.counted_gpus(count, offered["capacity"], labels.get(gpus.PRODUCT, "")),
        "gpu_capacity": sum(offered["capacity"].values()) if offered["capacity"] else None,
        "is_cordoned": any(cordoned) if cordoned else None,
        "x_extra": json_text(kept) if kept else None,
    }


def _size(segment: Segment) -> dict[str, Any]:
    """How large the node is. Of two exporters that say different things the larger counts."""
    sizes: dict[str, Decimal] = {}
    for size in segment.said(Size):
        sizes[size.resource] = max(size.count, sizes.get(size.resource, size.count))
    memory = sizes.get(series.MEMORY)
    return {
        "vcpu_count": sizes.get(series.CORES),
        "memory_gib": None if memory is None else round(memory / _GIB, 6),
    }


def _labels(segment: Segment, settings: KubernetesNodesSettings) -> dict[str, Any]:
    labels = dict(pair for fact in segment.said(Labels) for pair in fact.pairs)
    kept = {name: value for name, value in labels.items() if name in settings.node_labels}
    return {
        "gpu_model_name": gpus.of_product(labels.get(gpus.PRODUCT, "")).model_name,
        "gpu_replicas": gpus.replicas(labels),
        "purchase_option": machines.purchase_option(labels),
        "labels": json_text(kept) if kept else None,
    }
