"""Nodes with GPUs, as kube-state-metrics tells: which machine each is, what it offers, whether it takes work."""

from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.kubernetes import series
from connectors.kubernetes.marks import Seen
from connectors.kubernetes.node_rows import METRICS, Nodes, sightings
from connectors.kubernetes.settings import KubernetesNodesSettings
from connectors.kubernetes.source import ClusterSource
from connectors.prometheus import matching


class NodesSource(ClusterSource):
    """Sightings of nodes, by kube-state-metrics."""

    kind: ClassVar[str] = "kubernetes_nodes"
    fact: ClassVar[str] = "node_sightings"
    settings_model: ClassVar[type[SourceSettings]] = KubernetesNodesSettings
    metrics: ClassVar[frozenset[str]] = METRICS
    proof: ClassVar[str] = series.NODE_INFO
    beside: ClassVar[frozenset[str]] = series.SIZES

    def queries(self, settings: KubernetesNodesSettings) -> dict[str, str]:
        """All that is said of nodes; of their resources, GPUs; how large those are that have some.

        The empty text takes series that are of no resource.
        """
        offers = matching(settings, [series.CAPACITY], f'resource=~"{settings.resource_pattern}"')
        sizes = matching(settings, [series.CAPACITY], f'resource=~"{"|".join(sorted(series.SIZES))}"')
        return {
            "nodes": matching(settings, sorted(METRICS), f'resource=~"{settings.resource_pattern}|"'),
            "sizes": f"{sizes} and on (node) {offers}",
        }

    def rows(
        self, settings: KubernetesNodesSettings, window: Window, seen: Seen
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Sightings of the window."""
        nodes = Nodes(settings)
        for found in seen.labelled:
            nodes.take(found)
        return list(sightings(nodes, seen, window)), nodes.notices()


SOURCE = NodesSource()
