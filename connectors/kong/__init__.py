"""Kong AI Gateway's log: what its logging plugins write of requests that its AI plugins served.

Here belongs: what an entry says of an attempt. Here does not belong: Kong's Prometheus metrics, which sum it up.
"""

from connectors.kong.source import KongAi

SOURCE = KongAi()

__all__ = ["SOURCE", "KongAi"]
