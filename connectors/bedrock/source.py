"""The source of Amazon Bedrock's invocation logs: its declaration."""

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.bedrock.invocations import allowed, attempt
from connectors.bedrock.settings import BedrockLogSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.instants import microseconds
from connectors.logs.source import StoredLog


class BedrockLog(StoredLog[BedrockLogSettings]):
    """Invocations that Amazon Bedrock logged. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "bedrock_log"
    settings_model: ClassVar[type[SourceSettings]] = BedrockLogSettings
    essential: ClassVar[frozenset[str]] = frozenset(
        {"requestId", "timestamp", "errorCode", "input", "output", "modelId"}
    )

    def allow_list(self, settings: BedrockLogSettings) -> AllowList:
        """The fields of an invocation, without its bodies."""
        return allowed(settings)

    def started(self, settings: BedrockLogSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """AWS's own clock, in UTC."""
        return microseconds(row.get("timestamp"))

    def read(self, settings: BedrockLogSettings, record: Record) -> Attempt:
        """See `invocations`."""
        return attempt(settings, record)
