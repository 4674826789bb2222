"""What `farthing.yml` says of a cluster's pods and nodes, beside where the series are."""

from typing import Annotated

from pydantic import AfterValidator, Field

from connectors.prometheus import PrometheusSettings
from connectors.settings_rules import Pattern


def _for_a_query(pattern: str) -> str:
    if '"' in pattern or "\\" in pattern:
        raise ValueError("must hold neither a quotation mark nor a backslash: it is part of a query")
    return pattern


class KubernetesSettings(PrometheusSettings):
    """Series from a Prometheus server (`url`) or from files of scrapes (`scrapes`): exactly one of them."""

    resource_pattern: Annotated[Pattern, AfterValidator(_for_a_query)] = Field(
        default="nvidia_com_gpu(_shared)?|nvidia_com_mig_.+",
        description="Regular expression: resources that are GPUs, as kube-state-metrics writes them "
        "(`nvidia.com/gpu` is nvidia_com_gpu).",
    )


class KubernetesAllocationsSettings(KubernetesSettings):
    """Pods that held GPUs."""

    pod_labels: tuple[str, ...] = Field(
        default=(
            "app.kubernetes.io/name",
            "app.kubernetes.io/part-of",
            "kueue.x-k8s.io/queue-name",
            "kueue.x-k8s.io/priority-class",
            "ray.io/cluster",
            "ray.io/group",
            "ray.io/node-type",
            "team",
        ),
        description="Labels of pods that are let through; the others are left in the landed page.",
    )
    model_label: str = Field(
        default="model", min_length=1, description="Label of a pod that names the model that it serves."
    )


class KubernetesNodesSettings(KubernetesSettings):
    """Nodes that offer GPUs."""

    node_labels: tuple[str, ...] = Field(
        default=(
            "node.kubernetes.io/instance-type",
            "topology.kubernetes.io/zone",
            "nvidia.com/gpu.memory",
            "nvidia.com/gpu.sharing-strategy",
            "nvidia.com/mig.strategy",
            "karpenter.sh/nodepool",
            "eks.amazonaws.com/nodegroup",
            "cloud.google.com/gke-nodepool",
            "kubernetes.azure.com/agentpool",
        ),
        description="Labels of nodes that are let through; the others are left in the landed page.",
    )
