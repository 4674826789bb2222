"""What kube-state-metrics said of the serving cluster, every five minutes: who asked for GPUs and ran, and the node.

Only series about GPUs and their pods are kept, as a collector would that is told to.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from sample.company import SELF_HOSTED, SERVING
from sample.exposition import STEP, Metric, instants, label_text, milliseconds, write_lines
from sample.pods import CONTAINER, DEPLOYMENT, NAMESPACE, PODS, Pod

_REPLICA_SET = f"{DEPLOYMENT}-7c9f6b5d48"
_GPUS = {"node": SERVING.hostname, "resource": "nvidia_com_gpu", "unit": "integer"}
_NODE = {
    "kube_node_info": {
        "node": SERVING.hostname,
        "kernel_version": "6.8.0-79-generic",
        "os_image": "Ubuntu 24.04.3 LTS",
        "kubelet_version": "v1.33.4",
        "provider_id": f"nimbus://eu-west/{SERVING.resource_id}",
        "system_uuid": "8f3c2a17-40d1-4e6b-a5f9-6b0d1c7e0a17",
        "internal_ip": "10.40.0.17",
    },
    "kube_node_labels": {
        "node": SERVING.hostname,
        "label_node_kubernetes_io_instance_type": "h100-8x",
        "label_topology_kubernetes_io_zone": "eu-west-a",
        "label_nvidia_com_gpu_product": SERVING.gpu_model.replace(" ", "-"),
        "label_nvidia_com_gpu_count": str(SERVING.gpus),
    },
    "kube_node_status_capacity": _GPUS,
    "kube_node_status_allocatable": _GPUS,
    "kube_node_spec_unschedulable": {"node": SERVING.hostname},
}
_VALUES = {"kube_node_status_capacity": SERVING.gpus, "kube_node_status_allocatable": SERVING.gpus}
_HELP = {
    "kube_node_info": "Information about a cluster node.",
    "kube_node_labels": "Kubernetes labels converted to Prometheus labels.",
    "kube_node_status_capacity": "The total amount of resources available for a node.",
    "kube_node_status_allocatable": "The amount of resources allocatable for pods.",
    "kube_node_spec_unschedulable": "Whether a node can schedule new pods.",
}
_REQUESTS = Metric(
    "kube_pod_container_resource_requests", "gauge", "The number of requested request resource by a container."
)
_PHASE = Metric("kube_pod_status_phase", "gauge", "The pods current phase.")
_OWNER = Metric("kube_pod_owner", "gauge", "Information about the Pod's owner.")
_LABELS = Metric("kube_pod_labels", "gauge", "Kubernetes labels converted to Prometheus labels.")


def write_kube_state(file: Path, day: date) -> None:
    """Writes a day of the serving cluster."""
    write_lines(file, _lines(instants(day)))


def _lines(moments: Sequence[datetime]) -> Iterator[str]:
    yield from _OWNER.lines(_of_pods(moments, _owner))
    yield from _LABELS.lines(_of_pods(moments, _labels))
    yield from _PHASE.lines(line for phase in ("Pending", "Running") for line in _phases(moments, phase))
    yield from _REQUESTS.lines(_requests(moments))
    for name, labels in _NODE.items():
        start = f"{label_text(**labels)} {_VALUES.get(name, int(name.endswith(('info', 'labels'))))}"
        yield from Metric(name, "gauge", _HELP[name]).lines(f"{start} {milliseconds(at)}" for at in moments)


def _is_known(pod: Pod, moment: datetime) -> bool:
    """A pod is known while it has its GPUs, and one scrape before: it waits for them."""
    return pod.holds(moment) or pod.holds(moment + STEP)


def _pod(pod: Pod, **more: str) -> str:
    return label_text(namespace=NAMESPACE, pod=pod.name, uid=pod.uid, **more)


def _of_pods(moments: Sequence[datetime], labels: Callable[[Pod], str]) -> Iterator[str]:
    for pod in PODS:
        text = labels(pod)
        yield from (f"{text} 1 {milliseconds(at)}" for at in moments if _is_known(pod, at))


def _owner(pod: Pod) -> str:
    return _pod(pod, owner_kind="ReplicaSet", owner_name=_REPLICA_SET, owner_is_controller="true")


def _labels(pod: Pod) -> str:
    return _pod(pod, label_app_kubernetes_io_name=DEPLOYMENT, label_model=SELF_HOSTED)


def _phases(moments: Sequence[datetime], phase: str) -> Iterator[str]:
    for pod in PODS:
        text = _pod(pod, phase=phase)
        yield from (
            f"{text} {int(pod.holds(at) == (phase == 'Running'))} {milliseconds(at)}"
            for at in moments
            if _is_known(pod, at)
        )


def _requests(moments: Sequence[datetime]) -> Iterator[str]:
    for pod in PODS:
        for is_held in (False, True):  # a pod that waits has no node yet
            labels = _GPUS if is_held else {**_GPUS, "node": ""}
            text = f"{_pod(pod, container=CONTAINER, **labels)} {len(pod.gpus)}"
            yield from (
                f"{text} {milliseconds(at)}" for at in moments if _is_known(pod, at) and pod.holds(at) == is_held
            )
