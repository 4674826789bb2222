"""What self-hosted models' serving engines counted: tokens, requests and time, from their Prometheus metrics.

Here belongs: reading the engines' counters, and what they rose by over an interval. Here does not belong: what a token
cost on those GPUs (that is `sql/core`).
"""

from connectors.serving.settings import ServingSettings
from connectors.serving.source import ServingSource

SOURCE = ServingSource()

__all__ = ["SOURCE", "ServingSettings", "ServingSource"]
