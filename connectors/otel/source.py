"""The source of traces in files: its declaration."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.logs.instants import microseconds
from connectors.logs.source import StoredLog
from connectors.logs.traces.source import TraceLog
from connectors.logs.traces.spans import spans_of
from connectors.otel.settings import OtelSettings


class OtelGenAi(TraceLog[OtelSettings], StoredLog[OtelSettings]):
    """Calls of models, told by spans in files. See the README for what is read, counted and dropped."""

    kind: ClassVar[str] = "otel_genai"
    settings_model: ClassVar[type[SourceSettings]] = OtelSettings
    remedy: ClassVar[str] = StoredLog.remedy

    def started(self, settings: OtelSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """The span's own start."""
        return microseconds(row.get("start"))

    def records(self, settings: OtelSettings, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """The spans of an envelope of OTLP, or the row itself."""
        return spans_of(row, settings.wanted_keys)
