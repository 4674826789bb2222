"""GPU metrics that Azure Monitor has, set by set: names, units, dimensions, and whose GPU a series is of.

Azure measures no GPU of a virtual machine by itself. Machine learning's services measure their own, and Telegraf sends
what nvidia-smi says of a machine as custom metrics. All utilisations are the share of time with a kernel resident.
Sources: Azure's lists of supported metrics, and the documentation of Telegraf's inputs.

Here belongs: names, dimensions, units. Here does not belong: asking, answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from connectors.azure.gpu_settings import AzureGpuMetricsSettings, SetName
from connectors.azure.monitor import MetricSeries
from connectors.fields import printable
from connectors.gpu_series import Gpu, Metric, Place, Series, index_of, percent
from connectors.gpu_series.series import BYTES_IN_MIB, MOST_WATTS, mebibytes, watts

MINUTE_SECONDS = 60.0
_MEGABYTE = 1e6
_SETS_OF_MACHINES = "/virtualmachinescalesets/"
_IDENTIFIERS = ("GPU-", "MIG-")
Whose = Callable[[AzureGpuMetricsSettings, str, Mapping[str, str]], tuple[Gpu, Place]]
"""The GPU of a series, from its resource and dimensions."""


@dataclass(frozen=True)
class MetricSet:
    """Metrics with the same dimensions. `summed` are told by the sum of a minute, the others by their mean."""

    metrics: Mapping[str, Metric]
    dimensions: tuple[str, ...]
    whose: Whose
    told: Mapping[str, str]
    namespace: str | None = None
    summed: frozenset[str] = frozenset()

    @property
    def averaged(self) -> frozenset[str]:
        """The metrics that are told by their mean."""
        return frozenset(self.metrics) - self.summed


def gpu_series(series: MetricSeries, settings: AzureGpuMetricsSettings) -> Series:
    """The series with its GPU. Raises KeyError for a metric that is not of the set, and for a missing dimension."""
    chosen = SETS[settings.metrics]
    dimensions = {name: printable(value) for name, value in series.dimensions.items()}
    gpu, place = chosen.whose(settings, series.resource, dimensions)
    taken = {name.lower() for name in chosen.dimensions} - chosen.told.keys()
    extra = {chosen.told.get(name, name): value for name, value in dimensions.items() if name not in taken and value}
    new = tuple(name for name in dimensions if name not in taken and name not in chosen.told)
    found = {"resource": series.resource, "metric": series.metric, **series.dimensions}
    return Series(gpu, place, chosen.metrics[series.metric], series.points, extra, new, found)


def _of_compute(settings: AzureGpuMetricsSettings, resource: str, found: Mapping[str, str]) -> tuple[Gpu, Place]:
    """One GPU of a node of a compute; the run that uses it holds it. The bill names the workspace."""
    instance, device, run = found["instanceid"], found["deviceid"], found.get("runid", "")
    identifier = device if device.startswith(_IDENTIFIERS) else f"{instance}/{device}"
    holder = (settings.namespace, run) if run else ("", "")
    return Gpu(identifier, "", *holder), Place(instance, resource, index_of(device), tells_holders=True)


def _of_deployment(settings: AzureGpuMetricsSettings, resource: str, found: Mapping[str, str]) -> tuple[Gpu, Place]:
    """All GPUs of an instance as one: nobody tells them apart. The deployment holds them."""
    instance, (endpoint, deployment) = found["instanceid"], resource.rsplit("/", 3)[1::2]
    place = Place(instance, resource, tells_holders=True)
    return Gpu(f"{instance}/all", "", settings.namespace, f"{endpoint}/{deployment}"), place


def _of_machine(settings: AzureGpuMetricsSettings, resource: str, found: Mapping[str, str]) -> tuple[Gpu, Place]:
    """One GPU of a machine; a machine of a scale set is not told by its resource."""
    del settings
    host = found.get("host") or resource.rpartition("/")[2]
    identifier = found.get("uuid") or f"{host}/{found['index']}"
    machine = None if _SETS_OF_MACHINES in resource else resource
    place = Place(host, machine, index_of(found.get("index")), gpu_model_name=found.get("name"), tells_holders=False)
    return Gpu(identifier), place


SETS: Mapping[SetName, MetricSet] = MappingProxyType(
    {
        "machine_learning": MetricSet(
            {
                "GpuUtilizationPercentage": percent("gpu_util_ratio"),
                "GpuMemoryUtilizationMegabytes": mebibytes("memory_used_mib", _MEGABYTE),
                "GpuEnergyJoules": watts(MINUTE_SECONDS),
            },
            ("InstanceId", "DeviceId", "ComputeName", "RunId"),
            _of_compute,
            {"computename": "compute_name"},
            summed=frozenset({"GpuEnergyJoules"}),
        ),
        "online_deployments": MetricSet(
            {
                "GpuUtilizationPercentage": percent("gpu_util_ratio"),
                "GpuMemoryUtilizationPercentage": Metric("memory_utilization_percent", 100.0),
                "GpuEnergyJoules": Metric("energy_joules", MOST_WATTS * MINUTE_SECONDS),
            },
            ("instanceId",),
            _of_deployment,
            {},
            summed=frozenset({"GpuEnergyJoules"}),
        ),
        "telegraf": MetricSet(
            {
                "utilization_gpu": percent("gpu_util_ratio"),
                "memory_used": mebibytes("memory_used_mib", BYTES_IN_MIB),
                "memory_free": mebibytes("memory_free_mib", BYTES_IN_MIB),
                "power_draw": watts(),
                "utilization_encoder": percent("encoder_active_ratio"),
                "utilization_decoder": percent("decoder_active_ratio"),
            },
            ("host", "index", "uuid", "name"),
            _of_machine,
            {},
            namespace="Telegraf/nvidia_smi",
        ),
    }
)
