"""OpenRouter's single requests: traces that Broadcast stores, or records of generations that were saved."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.instants import microseconds
from connectors.logs.source import StoredLog
from connectors.openrouter.broadcast import generations_of
from connectors.openrouter.generations import ESSENTIAL, allowed, attempt, reported_cost
from connectors.openrouter.settings import OpenRouterLogSettings


class OpenRouterLog(StoredLog[OpenRouterLogSettings]):
    """Generations in files. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "openrouter_log"
    settings_model: ClassVar[type[SourceSettings]] = OpenRouterLogSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: OpenRouterLogSettings) -> AllowList:
        """The fields of a generation, without prompt and answer."""
        return allowed(settings)

    def records(self, settings: OpenRouterLogSettings, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """The generations of a trace, or the record itself."""
        return generations_of(row, (*settings.asked_keys, settings.team_id_field))

    def started(self, settings: OpenRouterLogSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """When OpenRouter began with the request."""
        return microseconds(row.get("created_at"))

    def cost(self, settings: OpenRouterLogSettings, record: Record) -> str | None:  # noqa: ARG002
        """Credits, one of which is one USD; or what a provider took for an own key."""
        return reported_cost(record)

    def read(self, settings: OpenRouterLogSettings, record: Record) -> Attempt:
        """See `generations`."""
        return attempt(settings, record)


SOURCE = OpenRouterLog()
