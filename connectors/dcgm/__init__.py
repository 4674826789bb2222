"""NVIDIA GPU samples as dcgm-exporter measures them: from a Prometheus server, or from scrapes kept as files.

Here belongs: reaching them, and putting a GPU's readings of one instant together. Here does not belong: what the
readings say about idleness or cost (that is `sql/core/gpu_states_hourly`).
"""

from connectors.dcgm.settings import DcgmSettings
from connectors.dcgm.source import DcgmSource

SOURCE = DcgmSource()

__all__ = ["SOURCE", "DcgmSettings", "DcgmSource"]
