"""Spans that a Phoenix server holds, by its REST interface.

Here belongs: asking the server. Here does not belong: what a span says (`connectors.logs.traces`).
"""

from connectors.phoenix.source import SOURCE, Phoenix

__all__ = ["SOURCE", "Phoenix"]
