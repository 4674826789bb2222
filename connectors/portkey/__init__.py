"""Portkey's log of requests: exported on demand by its API (this kind), or as files of a private cloud (`files`).

Here belongs: what Portkey's fields mean, and its exports. Here does not belong: how tokens are counted (`logs`).
"""

from connectors.portkey.export_log import SOURCE

__all__ = ["SOURCE"]
