"""GPU metrics that Cloud Monitoring has: their names, units and labels, and how each is asked for.

Sources: Google's lists of metrics (Ops Agent, Kubernetes), and the Ops Agent's own translation of names. The agent's
`gpu/utilization` is its NVML fraction times 100; the DCGM receiver's activities are fractions.

Here belongs: names. Here does not belong: answers (`gpu_answers`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connectors.gcp.gpu_settings import Family
from connectors.gpu_series import Metric, percent, ratio
from connectors.gpu_series.series import mebibytes, watts

MACHINE, CONTAINER, NODE = "gce_instance", "k8s_container", "k8s_node"
PERCENT, RATIO = frozenset({"%", "percent", "1", ""}), frozenset({"1", ""})
BYTES, WATTS = frozenset({"By", "bytes", ""}), frozenset({"J/s", "W", "J", ""})
_SHARED = ("resource.label.project_id",)
LABELS: Mapping[str, tuple[str, ...]] = {
    MACHINE: (*_SHARED, "resource.label.zone", "resource.label.instance_id", "metadata.system_labels.name"),
    NODE: (*_SHARED, "resource.label.location", "resource.label.cluster_name", "resource.label.node_name"),
    CONTAINER: (
        *(*_SHARED, "resource.label.location", "resource.label.cluster_name", "resource.label.namespace_name"),
        *("resource.label.pod_name", "resource.label.container_name", "metadata.system_labels.node_name"),
    ),
}
_AGENT_GPU, _GKE_GPU = ("uuid", "gpu_number", "model"), ("make", "accelerator_id", "model")


@dataclass(frozen=True)
class Asked:
    """One metric. `by` and `metrics`: the label that says which of several columns a series is for, and those.

    `units` are those in which Cloud Monitoring may tell it; in any other it would be misread.
    """

    family: Family
    resource: str
    metrics: Mapping[str, Metric]
    units: frozenset[str]
    by: str | None = None
    aligner: str = "ALIGN_MEAN"
    gpu_labels: tuple[str, ...] = field(default=_AGENT_GPU)

    @property
    def labels(self) -> tuple[str, ...]:
        """What series are told apart by; labels that are not named here are not told."""
        of_metric = (*self.gpu_labels, *((self.by,) if self.by else ()))
        return (*LABELS[self.resource], *(f"metric.label.{name}" for name in of_metric))


def _one(family: Family, metric: Metric, units: frozenset[str], aligner: str = "ALIGN_MEAN") -> Asked:
    return Asked(family, MACHINE, {"": metric}, units, aligner=aligner)


def _memory(family: Family, label: str) -> Asked:
    states = {"used": mebibytes("memory_used_mib", 1.0), "free": mebibytes("memory_free_mib", 1.0)}
    return Asked(family, MACHINE, states, BYTES, by=label)


def _pipe() -> Asked:
    return Asked("dcgm", MACHINE, {"tensor": ratio("tensor_active_ratio")}, RATIO, by="pipe")


def _gke(resource: str, metric: Metric, units: frozenset[str]) -> Asked:
    return Asked("gke", resource, {"": metric}, units, gpu_labels=_GKE_GPU)


_V1, _V2 = "workload.googleapis.com/dcgm.gpu.profiling", "workload.googleapis.com/gpu.dcgm"
_UTIL, _USED = percent("gpu_util_ratio"), mebibytes("memory_used_mib", 1.0)
ASKED: Mapping[str, Asked] = MappingProxyType(
    {
        "agent.googleapis.com/gpu/utilization": _one("agent", _UTIL, PERCENT),
        "agent.googleapis.com/gpu/memory/bytes_used": _memory("agent", "memory_state"),
        f"{_V1}.sm_utilization": _one("dcgm", ratio("sm_active_ratio"), RATIO),
        f"{_V1}.dram_utilization": _one("dcgm", ratio("dram_active_ratio"), RATIO),
        f"{_V1}.pipe_utilization": _pipe(),
        f"{_V2}.sm.utilization": _one("dcgm", ratio("sm_active_ratio"), RATIO),
        f"{_V2}.memory.bandwidth_utilization": _one("dcgm", ratio("dram_active_ratio"), RATIO),
        f"{_V2}.pipe.utilization": _pipe(),
        # of the engine, or, on GPUs without profiling, of kernels: it counts as the weaker of the two
        f"{_V2}.utilization": _one("dcgm", ratio("gpu_util_ratio"), RATIO),
        f"{_V2}.codec.encoder.utilization": _one("dcgm", ratio("encoder_active_ratio"), RATIO),
        f"{_V2}.codec.decoder.utilization": _one("dcgm", ratio("decoder_active_ratio"), RATIO),
        f"{_V2}.memory.bytes_used": _memory("dcgm", "state"),
        # a counter of joules: its rate over a stretch is the power that was drawn
        f"{_V2}.energy_consumption": _one("dcgm", watts(), WATTS, "ALIGN_RATE"),
        "kubernetes.io/container/accelerator/duty_cycle": _gke(CONTAINER, _UTIL, PERCENT),
        "kubernetes.io/container/accelerator/memory_used": _gke(CONTAINER, _USED, BYTES),
        "kubernetes.io/node/accelerator/duty_cycle": _gke(NODE, _UTIL, PERCENT),
        "kubernetes.io/node/accelerator/memory_used": _gke(NODE, _USED, BYTES),
    }
)
