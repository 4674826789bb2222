"""Pods that held GPUs, as kube-state-metrics tells: how many, on which node, from when to when."""

from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.kubernetes import series
from connectors.kubernetes.marks import Seen
from connectors.kubernetes.pod_rows import allocations
from connectors.kubernetes.pods import METRICS, Pods
from connectors.kubernetes.settings import KubernetesAllocationsSettings
from connectors.kubernetes.source import ClusterSource
from connectors.prometheus import matching


class AllocationsSource(ClusterSource):
    """Allocations of GPUs to pods, by kube-state-metrics."""

    kind: ClassVar[str] = "kubernetes_allocations"
    fact: ClassVar[str] = "gpu_allocations"
    settings_model: ClassVar[type[SourceSettings]] = KubernetesAllocationsSettings
    metrics: ClassVar[frozenset[str]] = METRICS
    proof: ClassVar[str] = series.REQUESTS

    def queries(self, settings: KubernetesAllocationsSettings) -> dict[str, str]:
        """Requests for GPUs; of pods that have such requests (by uid), the rest; others' claims; nodes' labels.

        A matcher that also takes the empty text lets through series that do not have the label.
        """
        asked = [series.REQUESTS, series.INIT_REQUESTS]
        requests = matching(settings, asked, f'resource=~"{settings.resource_pattern}"')
        of_pods = matching(
            settings,
            [series.PHASE, series.OWNER, series.POD_LABELS, series.CLAIMS],
            f'phase=~"{series.RUNNING}|{series.PENDING}|"',
        )
        return {
            "requests": requests,
            "pods": f"{of_pods} and on (uid) {requests}",
            "claims": f"{matching(settings, [series.CLAIMS])} unless on (uid) {requests}",
            "nodes": matching(settings, [series.NODE_LABELS], 'label_nvidia_com_gpu_product!=""'),
        }

    def rows(
        self, settings: KubernetesAllocationsSettings, window: Window, seen: Seen
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Allocations of the window."""
        pods = Pods(settings)
        for found in seen.labelled:
            pods.take(found)
        return list(allocations(pods, seen, window)), pods.notices()


SOURCE = AllocationsSource()
