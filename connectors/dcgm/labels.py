"""Who a line speaks of: the GPU or MIG instance, the pod that holds it, and where it stands, from the labels.

Here belongs: the labels' many names. Here does not belong: values, instants, and how labels are written down.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from connectors.prometheus import UnreadableError

_KNOWN = frozenset(
    {
        "gpu", "UUID", "uuid", "pci_bus_id", "device", "modelName", "Hostname", "hostname", "node", "GPU_I_ID",
        "GPU_I_PROFILE", "container", "namespace", "pod", "pod_uid", "vgpu", "hpc_job", "err_code", "err_msg",
        "pod_name", "pod_namespace", "container_name", "exported_container", "exported_namespace", "exported_pod",
        "instance", "job", "cluster", "__name__", "exported_instance", "exported_job", "service", "endpoint",
        "prometheus", "prometheus_replica", "xid", "window_size_in_ms",
    }
)  # fmt: skip
_INDEX = re.compile(r"[0-9]{1,4}")
_IGNORED_PREFIXES = ("DCGM_", "dra_")  # driver versions and the like ride along as labels


class Subject(NamedTuple):
    """What one sample is about; the grain of the fact, without the instant. Empty text stands for none."""

    gpu_uuid: str
    gpu_instance_id: str
    namespace: str
    pod: str
    container: str


class Place(NamedTuple):
    """What else the labels say of a subject. None is unknown."""

    hostname: str | None
    gpu_index: int | None
    mig_profile: str | None
    gpu_model_name: str | None


class LabelRules(NamedTuple):
    """What the settings say about labels.

    `exporter` matches the name of the exporter's own pod or container: a scraper without `honor_labels` writes these
    into `pod` and `container`, and the holder's into `exported_pod`. `job_namespace` stands for the namespace of batch
    jobs, which have none.
    """

    exporter: re.Pattern[str]
    job_namespace: str


def read_labels(labels: Mapping[str, str], rules: LabelRules) -> tuple[Subject, Place]:
    """The subject and its place, from label values by name, as the exporter or the server gives them.

    Raises UnreadableError, saying what is missing, where no GPU is named.
    """
    gpu_uuid = labels.get("UUID") or labels.get("uuid")
    if not gpu_uuid:
        raise UnreadableError("no_gpu_uuid", "no label UUID: the exporter names the GPU in it")
    index = labels.get("gpu", "")
    hostname = labels.get("Hostname") or labels.get("hostname")
    if hostname is None or rules.exporter.search(hostname):
        hostname = labels.get("node") or hostname
    return (
        Subject(gpu_uuid, labels.get("GPU_I_ID", ""), *_holder(labels, rules)),
        Place(
            hostname,
            int(index) if _INDEX.fullmatch(index) else None,
            labels.get("GPU_I_PROFILE") or None,
            labels.get("modelName") or None,
        ),
    )


def unknown_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that are new to us, to be kept beside the sample."""
    return {
        name: value for name, value in labels.items() if name not in _KNOWN and not name.startswith(_IGNORED_PREFIXES)
    }


def _holder(labels: Mapping[str, str], rules: LabelRules) -> tuple[str, str, str]:
    """Namespace, pod and container that hold the GPU, or the batch job in the pod's place; empty where none does."""
    exported = (
        labels.get("exported_namespace", ""),
        labels.get("exported_pod", ""),
        labels.get("exported_container", ""),
    )
    if any(exported):
        return exported
    namespace = labels.get("namespace") or labels.get("pod_namespace", "")
    pod = labels.get("pod") or labels.get("pod_name", "")
    container = labels.get("container") or labels.get("container_name", "")
    if not rules.exporter.search(pod) and not rules.exporter.search(container) and (namespace or pod or container):
        return namespace, pod, container
    job = labels.get("hpc_job", "")
    return (rules.job_namespace, job, "") if job else ("", "", "")
