"""kube-state-metrics' series: what is asked for, which are wanted, and which labels are whose.

Metrics: https://github.com/kubernetes/kube-state-metrics/tree/main/docs (pod and node metrics).

Here belongs: what pods and nodes have in common. Here does not belong: rows.
"""

import re
from collections.abc import Mapping

from connectors.kubernetes.marks import IGNORED, Labelled
from connectors.kubernetes.settings import KubernetesSettings
from connectors.prometheus import Reader

REQUESTS = "kube_pod_container_resource_requests"
INIT_REQUESTS = "kube_pod_init_container_resource_requests"
PHASE = "kube_pod_status_phase"
RUNNING, PENDING = "Running", "Pending"
OWNER = "kube_pod_owner"
POD_LABELS = "kube_pod_labels"
CLAIMS = "kube_pod_resourceclaim_info"
NODE_INFO = "kube_node_info"
NODE_LABELS = "kube_node_labels"
CAPACITY = "kube_node_status_capacity"
ALLOCATABLE = "kube_node_status_allocatable"
CORDONED = "kube_node_spec_unschedulable"

CORES, MEMORY = "cpu", "memory"
SIZES = frozenset({CORES, MEMORY})
"""Resources that say how large a node is, as kube-state-metrics writes them: in cores and bytes."""

_KNOWN = frozenset(
    {
        "namespace", "pod", "uid", "container", "node", "resource", "unit", "phase", "owner_kind", "owner_name",
        "owner_is_controller", "claim_name", "resourceclaim_name", "resourceclaim_template_name", "kernel_version",
        "os_image", "container_runtime_version", "kubelet_version", "kubeproxy_version", "provider_id", "pod_cidr",
        "system_uuid", "internal_ip", "instance", "job", "service", "endpoint", "cluster", "prometheus",
        "prometheus_replica", "__name__", "custom_resource_group", "custom_resource_kind", "custom_resource_version",
    }
)  # fmt: skip
_KNOWN_PREFIXES = ("label_", "exported_")


def reader(
    settings: KubernetesSettings, metrics: frozenset[str], beside: frozenset[str] = frozenset()
) -> Reader[Labelled]:
    """Reads these metrics; of those about a resource, GPUs and those `beside`; of those about a phase, these two."""
    resource = re.compile(settings.resource_pattern)

    def learn(labels: Mapping[str, str]) -> Labelled:
        found = labels.get("resource")
        if found is not None and found not in beside and not resource.fullmatch(found):
            return IGNORED
        return Labelled(labels) if labels.get("phase", RUNNING) in (RUNNING, PENDING) else IGNORED

    return Reader(wants=metrics.__contains__, learn=learn)


def own(labels: Mapping[str, str], name: str) -> str:
    """The label as kube-state-metrics gave it; empty where it did not.

    A scraper without `honor_labels` writes its own target's pod and namespace into these names, and what
    kube-state-metrics said under `exported_`.
    """
    return labels.get(f"exported_{name}") or labels.get(name, "")


def unknown_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that are new to us, to be kept beside the row."""
    return {
        name: value for name, value in labels.items() if name not in _KNOWN and not name.startswith(_KNOWN_PREFIXES)
    }
