"""Who holds a GPU, as namespace, pod and container: by Kubernetes' names where the sampler had them, or the settings'.

Here belongs: names. Here does not belong: what a holder used.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from connectors.fields import text
from connectors.nvml.settings import NvmlSettings

Place = tuple[str, str, str]
"""Namespace, pod, container; empty text stands for none."""

NOBODY: Place = ("", "", "")
UNKNOWN_POD = "unknown"  # the driver did not tell who holds the GPU
_NAMES = ("kind", "pod_uid", "container_id", "job", "namespace", "pod", "container")
_SHORT_ID = 12  # signs of a container's id, as container tools show it


class Namer:
    """Names holders by one source's settings."""

    def __init__(self, settings: NvmlSettings) -> None:
        self._settings = settings
        self._places: dict[tuple[Any, ...], Place] = {}

    def place(self, holder: Mapping[str, Any], host: str) -> Place:
        """The place of one holder of a line. Raises RowError for what is no text."""
        named = (host, *map(holder.get, _NAMES))
        try:
            known = self._places.get(named)
        except TypeError:  # a list or an object where a name belongs: reading it says which
            return self._read(holder, host)
        if known is None:
            known = self._places[named] = self._read(holder, host)
        return known

    def _read(self, holder: Mapping[str, Any], host: str) -> Place:
        kind = text(holder, "kind") or UNKNOWN_POD
        container_id = (text(holder, "container_id") or "")[:_SHORT_ID]
        if kind == "job":
            return self._settings.job_namespace, text(holder, "job") or "", ""
        if kind == "pod":
            namespace, pod = text(holder, "namespace"), text(holder, "pod")
            if namespace and pod:
                return namespace, pod, text(holder, "container") or container_id
            return self._by_host(host) or self._settings.pod_namespace, text(holder, "pod_uid") or "", container_id
        pod = "" if kind in {"none", "container"} else kind
        return self._by_host(host) or self._settings.process_namespace, pod, container_id

    def unknown(self, host: str) -> Place:
        """The place of whoever holds a GPU of which nobody knows who does."""
        return self._by_host(host) or self._settings.process_namespace, UNKNOWN_POD, ""

    def _by_host(self, host: str) -> str | None:
        return next((name for pattern, name in self._settings.namespaces.items() if fnmatchcase(host, pattern)), None)
