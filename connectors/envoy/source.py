"""The source of Envoy AI Gateway's access log: its declaration."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.envoy.requests import allowed, attempt, reported_cost, started
from connectors.envoy.settings import EnvoySettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.source import StoredLog


class EnvoyAiGateway(StoredLog[EnvoySettings]):
    """Requests that an Envoy AI Gateway logged. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "envoy_ai_gateway"
    settings_model: ClassVar[type[SourceSettings]] = EnvoySettings
    essential: ClassVar[frozenset[str]] = frozenset({"request_id", "start_time", "response_code"})

    def allow_list(self, settings: EnvoySettings) -> AllowList:
        """What the keys of the settings say, and nothing else of a line."""
        return allowed(settings)

    def started(self, settings: EnvoySettings, row: Mapping[str, Any]) -> int | None:
        """Envoy's `%START_TIME%`."""
        return started(settings, row)

    def cost(self, settings: EnvoySettings, record: Record) -> str | Decimal | None:
        """What the deployment computed itself, where it does."""
        return reported_cost(settings, record)

    def read(self, settings: EnvoySettings, record: Record) -> Attempt:
        """See `requests`."""
        return attempt(settings, record)
