"""Portkey's log as the files that a private cloud's gateway writes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.source import StoredLog
from connectors.portkey.requests import ESSENTIAL, allowed, attempt, reported_cost, started
from connectors.portkey.settings import PortkeyFilesSettings


class PortkeyFiles(StoredLog[PortkeyFilesSettings]):
    """Requests in a bucket. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "portkey_files"
    settings_model: ClassVar[type[SourceSettings]] = PortkeyFilesSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: PortkeyFilesSettings) -> AllowList:
        """The fields of a request, without its bodies."""
        return allowed(settings)

    def started(self, settings: PortkeyFilesSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """The gateway's own clock."""
        return started(row)

    def cost(self, settings: PortkeyFilesSettings, record: Record) -> Decimal | None:
        """The gateway's figure, in the unit that the settings say."""
        return reported_cost(record, settings.cost_unit_usd)

    def read(self, settings: PortkeyFilesSettings, record: Record) -> Attempt:
        """See `requests`."""
        return attempt(settings, record)


SOURCE = PortkeyFiles()
