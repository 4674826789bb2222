"""The source of Cloudflare AI Gateway's log: its declaration."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.cloudflare.client import Client
from connectors.cloudflare.coverage import gap_of, is_gap, notices_of
from connectors.cloudflare.requests import allowed, attempt
from connectors.cloudflare.settings import CloudflareSettings
from connectors.http import Pace
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.landing import land_rows
from connectors.logs.source import RequestLog
from contracts import contract


class CloudflareAiGateway(RequestLog[CloudflareSettings]):
    """Requests that a Cloudflare AI Gateway logged. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "cloudflare_ai_gateway"
    settings_model: ClassVar[type[SourceSettings]] = CloudflareSettings
    essential: ClassVar[frozenset[str]] = frozenset({"id", "created_at", "success", "cached"})

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def allow_list(self, settings: CloudflareSettings) -> AllowList:
        """The fields of a row, without its bodies."""
        return allowed(settings)

    def fetch(self, settings: CloudflareSettings, window: Window) -> Iterator[Page]:
        """The day's rows after the allow-list; then, where the gateway's log is full, what is missing of the day.

        Raises IncompleteDeliveryError when rows were deleted while they were read.
        """
        redact = self.allow_list(settings).redact
        with Client(settings, self._pace) as client:
            yield from land_rows(client.rows(window), window, redact)
            gap = gap_of(client, window)
            yield from () if gap is None else (gap,)

    def parse(self, settings: CloudflareSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `gateway_requests`; where the gateway has lost rows of the day, a notice says so."""
        log: list[LandedPage] = []
        gaps: list[LandedPage] = []
        for page in pages:
            (gaps if is_gap(page) else log).append(page)
        yield from super().parse(settings, window, log)
        yield Parsed(contract(self.fact).arrow_schema().empty_table(), notices=notices_of(gaps))

    def cost(self, settings: CloudflareSettings, record: Record) -> str | None:  # noqa: ARG002
        """Cloudflare's estimate, or the caller's own price."""
        return record.get("cost")

    def read(self, settings: CloudflareSettings, record: Record) -> Attempt:
        """See `requests`."""
        return attempt(settings, record)

    def probe(self, settings: CloudflareSettings) -> str:
        """Whether the token may read the gateway, and how many rows it keeps."""
        with Client(settings, self._pace) as client:
            kept = client.kept()
            stored = client.edge(newest=True).total
        rows = "rows" if stored is None else f"{stored:,} rows"
        limit = "" if kept.most_rows is None else f" of at most {kept.most_rows:,}"
        return f"gateway {settings.gateway_id} of account {settings.account_id} holds {rows}{limit}"
