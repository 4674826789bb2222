"""Helicone's requests by its API: the source's declaration."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.helicone.client import page_of, requests_of, session_of
from connectors.helicone.parsing import parse_requests
from connectors.helicone.requests import ESSENTIAL, allowed, attempt, reported_cost
from connectors.helicone.settings import HeliconeSettings
from connectors.http import Pace
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.landing import land_rows
from connectors.logs.source import RequestLog

_LONG_AGO = datetime(2022, 1, 1)  # noqa: DTZ001 - UTC without a zone; before Helicone was


class Helicone(RequestLog[HeliconeSettings]):
    """Requests that Helicone observed. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "helicone"
    settings_model: ClassVar[type[SourceSettings]] = HeliconeSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def allow_list(self, settings: HeliconeSettings) -> AllowList:
        """The fields of a request."""
        return allowed(settings)

    def fetch(self, settings: HeliconeSettings, window: Window) -> Iterator[Page]:
        """The day's requests after the allow-list."""
        with session_of(settings, self._pace) as session:
            rows = requests_of(session, settings, window)
            yield from land_rows(rows, window, self.allow_list(settings).redact)

    def read(self, settings: HeliconeSettings, record: Record) -> Attempt:
        """See `requests`."""
        return attempt(settings, record, NOTHING)

    def cost(self, settings: HeliconeSettings, record: Record) -> str | Decimal | None:  # noqa: ARG002
        """What Helicone computed."""
        return reported_cost(record)

    def parse(self, settings: HeliconeSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """See `parse_requests`."""
        return parse_requests(settings, window, pages, self.remedy)

    def probe(self, settings: HeliconeSettings) -> str:
        """Asks for the requests of an hour that has none."""
        with session_of(settings, self._pace) as session:
            page_of(session, settings, Window(_LONG_AGO, _LONG_AGO + timedelta(hours=1)), 0, 2)
        return f"{settings.url} answers queries of requests"
