"""Names and dimensions of GPU metrics in CloudWatch: which there are, and whose GPU one is.

The agent runs nvidia-smi (`nvidia_smi_*`, without a unit: utilisation in percent, memory in MiB, power in watts).
Container Insights runs NVIDIA's exporter on EKS (`node_gpu_*`, `pod_gpu_*`: percent, bytes, watts). Both utilisations
are the share of time with a kernel resident. Source: the CloudWatch agent's documentation and its translation of names.

Here belongs: names, dimensions, units. Here does not belong: asking, values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.aws.api_settings import AwsGpuMetricsSettings
from connectors.fields import printable
from connectors.gpu_series import Gpu, Metric, Place, Series, index_of, percent
from connectors.gpu_series.series import BYTES_IN_MIB, mebibytes, watts

INSIGHTS = "ContainerInsights"
_AGENT: Mapping[str, Metric] = {
    "nvidia_smi_utilization_gpu": percent("gpu_util_ratio"),
    "nvidia_smi_memory_used": mebibytes("memory_used_mib", BYTES_IN_MIB),
    "nvidia_smi_memory_free": mebibytes("memory_free_mib", BYTES_IN_MIB),
    "nvidia_smi_power_draw": watts(),
    # whether memory was touched at all, not how much of its bandwidth: no dram_active_ratio
    "nvidia_smi_utilization_memory": Metric("utilization_memory_percent", 100.0),
}
_EXPORTER: Mapping[str, Metric] = {
    "gpu_utilization": percent("gpu_util_ratio"),
    "gpu_memory_used": mebibytes("memory_used_mib", 1.0),
    "gpu_power_draw": watts(),
}
_NODES = {f"node_{name}": metric for name, metric in _EXPORTER.items()}
_PODS = {f"pod_{name}": metric for name, metric in _EXPORTER.items()}
METRICS: Mapping[str, Metric] = {**_AGENT, **_NODES, **_PODS}
_TOLD = {
    "InstanceType": "instance_type",
    "ImageId": "image_id",
    "AutoScalingGroupName": "auto_scaling_group",
    "arch": "architecture",
    "ClusterName": "cluster_name",
    "PodName": "workload",
}
_TAKEN = frozenset({"InstanceId", "host", "index", "name", "NodeName", "GpuDevice", "Namespace", "FullPodName"})


@dataclass(frozen=True)
class Listed:
    """A metric that is worth asking for; `metric` is CloudWatch's own description, with its dimensions as they came."""

    metric: Mapping[str, Any]
    series: Series

    @property
    def key(self) -> str:
        """The same for metrics that say the same."""
        return "\x1f".join((*self.series.gpu, str(self.metric["MetricName"])))


def namespaces(settings: AwsGpuMetricsSettings) -> Mapping[str, tuple[str, ...]]:
    """The names that are asked for, by namespace."""
    wanted: dict[str, tuple[str, ...]] = {}
    if settings.agent_namespace is not None:
        wanted[settings.agent_namespace] = tuple(_AGENT)
    if settings.container_insights:
        names = (*_NODES, *(_PODS if settings.pods else ()))
        wanted[INSIGHTS] = (*wanted.get(INSIGHTS, ()), *names)
    return wanted


def listed(metric: Any, settings: AwsGpuMetricsSettings) -> Listed | None:
    """The metric, or None where it is that of more than one GPU, or of a cluster that is not wanted."""
    described = {
        "Namespace": metric["Namespace"],
        "MetricName": metric["MetricName"],
        "Dimensions": list(metric.get("Dimensions", ())),
    }
    series = described_series(described, ())
    if series is None:
        return None
    cluster = series.extra.get("cluster_name")
    is_other = metric["Namespace"] == INSIGHTS and bool(settings.clusters) and cluster not in settings.clusters
    return None if is_other else Listed(described, series)


def described_series(metric: Mapping[str, Any], points: Any) -> Series | None:
    """The series of a metric, from its name and dimensions; None where they name no single GPU."""
    told = METRICS.get(str(metric["MetricName"]))
    dimensions = {str(d["Name"]): printable(str(d["Value"])) for d in metric["Dimensions"]}
    whose = None if told is None else _whose(str(metric["MetricName"]), dimensions)
    if told is None or whose is None:
        return None
    extra = {_TOLD.get(name, name): value for name, value in dimensions.items() if name not in _TAKEN}
    new = tuple(name for name in dimensions if name not in _TAKEN and name not in _TOLD)
    return Series(*whose, told, points, extra, new, metric)


def _whose(name: str, dimensions: Mapping[str, str]) -> tuple[Gpu, Place] | None:
    machine = dimensions.get("InstanceId")
    if name in _PODS:
        pod, index = dimensions.get("FullPodName"), index_of(dimensions.get("GpuDevice"))
        if pod is None or index is None:
            return None
        holder = dimensions.get("Namespace", ""), pod
        return Gpu(f"{pod}/{index}", "", *holder), Place(gpu_index=index, tells_holders=True)
    if name in _NODES:
        index = index_of(dimensions.get("GpuDevice"))
        hostname = dimensions.get("NodeName") or machine
    else:
        index = index_of(dimensions.get("index"))
        hostname = dimensions.get("host") or machine
    if index is None or hostname is None:
        return None
    place = Place(hostname, machine, index, gpu_model_name=dimensions.get("name"), tells_holders=False)
    return Gpu(f"{machine or hostname}/{index}"), place
