"""What was said of pods that ask for GPUs: requests, phases, owners, claims, labels.

Here belongs: what each series about pods says. Here does not belong: what follows from them together (pod_rows),
samples and time (marks, stretches).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from connectors.kubernetes import gpus, series
from connectors.kubernetes.facts import Facts, count, new_labels
from connectors.kubernetes.label_names import chosen
from connectors.kubernetes.marks import Labelled, Marks
from connectors.kubernetes.series import own, unknown_labels
from connectors.kubernetes.settings import KubernetesAllocationsSettings
from connectors.kubernetes.stretches import Fact

METRICS = frozenset(
    {
        *(series.REQUESTS, series.INIT_REQUESTS, series.PHASE, series.OWNER, series.POD_LABELS, series.CLAIMS),
        series.NODE_LABELS,
    }
)


@dataclass(frozen=True)
class Asked:
    """A container asks for so many GPUs."""

    gpus: Decimal


@dataclass(frozen=True)
class AskedBy:
    """The same, among all containers of a pod."""

    request: "Request"
    gpus: Decimal


@dataclass(frozen=True)
class Phase:
    """The pod is in that phase."""

    name: str


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
    is_init: bool


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
            if metric in (series.REQUESTS, series.INIT_REQUESTS):
                self._take_request(found.labels, value, marks, is_init=metric == series.INIT_REQUESTS)
            elif metric == series.NODE_LABELS:
                self.of_nodes.add(own(found.labels, "node"), gpus.of_node(found.labels), marks)
            else:
                self.of_pods.add(_uid(found.labels), self._fact(metric, found.labels), marks)

    def notices(self) -> list[str]:
        """What is to be told of the delivery as a whole."""
        told = new_labels(self.extra.values())
        phases = any(fact == Phase(series.RUNNING) for facts in self.of_pods.marks.values() for fact in facts)
        if self.requests.marks and not phases:
            told.append(
                f"{len(self.requests.marks)} containers ask for GPUs and no pod runs by {series.PHASE}: is that metric "
                "scraped? Without it nothing is held"
            )
        if changed := sum(len(facts) > 1 for facts in self.requests.marks.values()):
            told.append(f"{changed} containers asked for different numbers of GPUs; of two at once the higher counts")
        claiming = {uid for uid, facts in self.of_pods.marks.items() if any(isinstance(fact, Claim) for fact in facts)}
        if claiming := claiming - {request.uid for request in self.requests.marks}:
            told.append(
                f"{len(claiming)} pods hold devices by claims and request no GPU: how many GPUs they hold is not told, "
                "and nothing of theirs is held here; samples of the GPUs may name them"
            )
        return told

    def _take_request(self, labels: Mapping[str, str], value: float, marks: Marks, *, is_init: bool) -> None:
        namespace, pod, container, node = (own(labels, name) for name in ("namespace", "pod", "container", "node"))
        request = Request(_uid(labels), namespace, pod, container, node, labels.get("resource", ""), is_init)
        self.requests.add(request, Asked(count(value)), marks)
        self.extra[request].update(unknown_labels(labels))

    def _fact(self, metric: str, labels: Mapping[str, str]) -> Fact:
        if metric == series.PHASE:
            return Phase(labels.get("phase", ""))
        if metric == series.OWNER:
            rank = 0 if labels.get("owner_is_controller") == "true" else 1
            return Owner(rank, labels.get("owner_kind", ""), labels.get("owner_name", ""))
        if metric == series.CLAIMS:
            return Claim(labels.get("resourceclaim_name") or labels.get("claim_name", ""))
        names = (*self.settings.pod_labels, self.settings.model_label)
        return Labels(tuple(sorted(chosen(labels, names).items())))


def _uid(labels: Mapping[str, str]) -> str:
    """The pod's uid; kube-state-metrics before 2.1 does not tell, then its namespace and name."""
    return labels.get("uid") or f"{own(labels, 'namespace')}/{own(labels, 'pod')}"
