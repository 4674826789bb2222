"""The source of Kong AI Gateway's log: its declaration."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.kong.attempts import attempt, reported_cost, started
from connectors.kong.entries import allowed, calls
from connectors.kong.settings import KongSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.source import StoredLog


class KongAi(StoredLog[KongSettings]):
    """Calls of models that a Kong AI Gateway logged. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "kong_ai"
    settings_model: ClassVar[type[SourceSettings]] = KongSettings
    essential: ClassVar[frozenset[str]] = frozenset(
        {"started_at", "call", "call.usage", "request.id", "response.status"}
    )

    def allow_list(self, settings: KongSettings) -> AllowList:
        """The fields of a call, without its payloads."""
        return allowed(settings)

    def records(self, settings: KongSettings, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:  # noqa: ARG002
        """The calls of models that an entry tells of."""
        return calls(row)

    def started(self, settings: KongSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """When the request came in."""
        return started(row.get("started_at"))

    def cost(self, settings: KongSettings, record: Record) -> str | None:  # noqa: ARG002
        """Kong's flat list price."""
        return reported_cost(record)

    def read(self, settings: KongSettings, record: Record) -> Attempt:
        """See `attempts`."""
        return attempt(settings, record)
