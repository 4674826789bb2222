"""Spans of model calls in files: OTLP/JSON as OpenTelemetry's collector writes it, or rows of a table.

Here belongs: where the files are. Here does not belong: what a span says (`connectors.logs.traces`).
"""

from connectors.otel.source import OtelGenAi

SOURCE = OtelGenAi()

__all__ = ["SOURCE", "OtelGenAi"]
