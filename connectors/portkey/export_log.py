"""Portkey's log by its API: a day is exported when it is read."""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

from connectors.base import Page, SourceSettings, Window
from connectors.http import Pace
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.landing import land_rows
from connectors.logs.source import RequestLog
from connectors.portkey.client import Exports
from connectors.portkey.requests import CENT, ESSENTIAL, allowed, attempt, reported_cost
from connectors.portkey.settings import PortkeySettings


class PortkeyLog(RequestLog[PortkeySettings]):
    """Requests of one workspace. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "portkey"
    settings_model: ClassVar[type[SourceSettings]] = PortkeySettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()

    def allow_list(self, settings: PortkeySettings) -> AllowList:
        """The fields of a request, without its bodies."""
        return allowed(settings)

    def fetch(self, settings: PortkeySettings, window: Window) -> Iterator[Page]:
        """The day's requests after the allow-list. Raises SourceError where an export fails; see `Exports.rows`."""
        with Exports(settings, self._pace) as exports:
            yield from land_rows(exports.rows(window.start, window.end), window, self.allow_list(settings).redact)

    def cost(self, settings: PortkeySettings, record: Record) -> Decimal | None:  # noqa: ARG002
        """Portkey's figure, which is in cents."""
        return reported_cost(record, CENT)

    def read(self, settings: PortkeySettings, record: Record) -> Attempt:
        """See `requests`."""
        return attempt(settings, record)

    def probe(self, settings: PortkeySettings) -> str:
        """Whether the key may ask for exports. Raises SourceError."""
        with Exports(settings, self._pace) as exports:
            return f"{settings.url}: exports can be asked for; {exports.count()} were made"


SOURCE = PortkeyLog()
