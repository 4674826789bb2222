"""Any log of requests in fields of its own: the settings say which of them say what of an attempt.

Here belongs: the declaration, and reading by it. Here does not belong: a log whose fields are known; those have a
connector each.
"""

from connectors.mapped_log.source import MappedLog

SOURCE = MappedLog()

__all__ = ["SOURCE", "MappedLog"]
