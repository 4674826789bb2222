"""Langfuse: the calls of models that a project observed, by its public API or as its blob export, and its scores.

Here belongs: asking Langfuse, its fields, and how its callers count tokens. Here does not belong: prices, owners, and
what a score says about the worth of an outcome.
"""

from connectors.langfuse.source import Langfuse

SOURCE = Langfuse()

__all__ = ["SOURCE", "Langfuse"]
