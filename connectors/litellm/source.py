"""The LiteLLM source: its declaration, and the way from its verbs to the modules that do them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from connectors.base import SourceSettings
from connectors.litellm.allow_list import allowed, plain_payload
from connectors.litellm.attempts import ESSENTIAL, attempt, reported_cost
from connectors.litellm.settings import LiteLlmSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Csv
from connectors.logs.instants import microseconds
from connectors.logs.plain_lines import PlainForm
from connectors.logs.source import StoredLog

if TYPE_CHECKING:
    from connectors.logs.columns import Columns

_SPEND_LOGS = Csv(frozenset({"request_id", "startTime"}))


class LiteLlm(StoredLog[LiteLlmSettings]):
    """Attempts that a LiteLLM gateway logged. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "litellm"
    settings_model: ClassVar[type[SourceSettings]] = LiteLlmSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: LiteLlmSettings) -> AllowList:
        """The fields of both formats."""
        return allowed(settings)

    def started(self, settings: LiteLlmSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """Both formats say it in `startTime`."""
        return microseconds(row.get("startTime"))

    def csv(self, settings: LiteLlmSettings) -> Csv:  # noqa: ARG002
        """The table may be exported as CSV."""
        return _SPEND_LOGS

    def plain(self, settings: LiteLlmSettings) -> PlainForm | None:
        """Payloads are: they carry prompts and answers, most of their bytes."""
        return plain_payload(settings) if settings.format in ("auto", "payload") else None

    def columns(self, settings: LiteLlmSettings) -> "Columns | None":
        """Of payloads; see `payload_columns`."""
        from connectors.litellm.payload_columns import payload_columns

        return payload_columns(settings)

    def cost(self, settings: LiteLlmSettings, record: Record) -> str | None:  # noqa: ARG002
        """What the gateway computed."""
        return reported_cost(record)

    def read(self, settings: LiteLlmSettings, record: Record) -> Attempt:
        """See `attempts`."""
        return attempt(settings, record)
