"""Helicone: the requests that went through its gateway or its loggers, by its API or as rows of its own table.

Here belongs: asking Helicone, its fields, and how its versions count tokens. Here does not belong: prices, owners.
"""

from connectors.helicone.source import Helicone

SOURCE = Helicone()

__all__ = ["SOURCE", "Helicone"]
