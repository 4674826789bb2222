"""Envoy AI Gateway's access log: one JSON line for each request, in keys that each deployment names itself.

Here belongs: which keys there are, and what a line means. Here does not belong: Envoy's configuration.
"""

from connectors.envoy.source import EnvoyAiGateway

SOURCE = EnvoyAiGateway()

__all__ = ["SOURCE", "EnvoyAiGateway"]
