"""What kube-state-metrics says of a cluster: which pods held GPUs, and which machines its nodes are.

Here belongs: reading its series, from a Prometheus server or from scrapes kept as files, and making intervals out of
samples. Here does not belong: what the GPUs did (that is `connectors.dcgm`) and what they cost.
"""

from connectors.kubernetes.settings import KubernetesAllocationsSettings, KubernetesNodesSettings

__all__ = ["KubernetesAllocationsSettings", "KubernetesNodesSettings"]
