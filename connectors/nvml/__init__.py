"""GPU samples that `farthing sample-gpus` took on nodes without an exporter, from the files of its spool.

Here belongs: the spool's lines as rows, and who holds a GPU by the names that the settings give. Here does not belong:
sampling (`pipelines.sampler`), and what the readings say about idleness or cost.
"""

from connectors.nvml.settings import NvmlSettings
from connectors.nvml.source import NvmlSource

SOURCE = NvmlSource()

__all__ = ["SOURCE", "NvmlSettings", "NvmlSource"]
