"""Both kinds survive what every connector must survive, by the API and as saved answers."""

import json
from datetime import date, timedelta
from typing import Any, ClassVar

from connectors.base import Window
from connectors.openrouter.costs import OpenRouterCosts
from connectors.openrouter.settings import OpenRouterCostsSettings, OpenRouterUsageSettings
from connectors.openrouter.usage import OpenRouterUsage
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer, serve_bucket
from tests.connectors.openrouter.written import (
    DAY,
    KEY,
    MONTH,
    WINDOW,
    Account,
    costs_settings,
    page,
    row,
    usage_settings,
)

FIRST = date(2026, 9, 1)
ROWS = {
    FIRST: [row(FIRST), row(FIRST, model="anthropic/claude-sonnet-4.5", usage=1.5)],
    DAY: [row(), row(endpoint_id="endpoint-2", byok_usage_inference=0.012)],
}
COMPLETED = date(2026, 9, 4)
STORAGE_WAITS = "the object store's own client waits, for real: tests/connectors/test_storage.py"
NO_CURSOR = "one request holds a whole day: there are no cursors"
SAVED = {
    "rate_limit": STORAGE_WAITS,
    "server_errors": STORAGE_WAITS,
    "truncated_response": STORAGE_WAITS,
    "page_loop": "a listing of files has no cursor that this connector follows",
}


class OpenRouterConformance(ConnectorConformance):
    secrets = (KEY,)

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(json.loads(content)["data"]) for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{"date"', f'{{"{self.unknown_name}": 9, "date"'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"prompt_tokens": 50', b'"prompt_tokens": -50', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-9]

    def empty_pages(self) -> list[bytes]:
        return [page()]


class TestUsage(OpenRouterConformance):
    source = OpenRouterUsage(sleep=Clock().sleep)
    inapplicable: ClassVar = {"page_loop": NO_CURSOR, "reordered_pages": "a day is one page"}

    def settings(self, **over: Any) -> OpenRouterUsageSettings:
        return usage_settings(**over)

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        return [page(*ROWS[DAY])]

    def served(self, server: FaultyServer) -> OpenRouterUsageSettings:
        Account(ROWS, COMPLETED).install(server)
        return self.settings(url=f"{server.url}/api/v1")


class TestCosts(OpenRouterConformance):
    source = OpenRouterCosts(sleep=Clock().sleep)
    inapplicable: ClassVar = {"page_loop": NO_CURSOR}

    def settings(self, **over: Any) -> OpenRouterCostsSettings:
        return costs_settings(**over)

    def window(self) -> Window:
        return MONTH

    def pages(self) -> list[bytes]:
        """Four days, of which the two without activity are one page."""
        return [page(*ROWS[FIRST]), page(), page(*ROWS[DAY])]

    def served(self, server: FaultyServer) -> OpenRouterCostsSettings:
        Account(ROWS, COMPLETED).install(server)
        return self.settings(url=f"{server.url}/api/v1")


class TestSavedUsage(TestUsage):
    inapplicable: ClassVar = {**SAVED, "reordered_pages": "a day is one page"}

    def settings(self, **over: Any) -> OpenRouterUsageSettings:
        return usage_settings(**{"location": "s3://answers/openrouter", **over})

    def served(self, server: FaultyServer) -> OpenRouterUsageSettings:
        return self.settings(storage=saved(server))


class TestSavedCosts(TestCosts):
    inapplicable: ClassVar = SAVED

    def settings(self, **over: Any) -> OpenRouterCostsSettings:
        return costs_settings(**{"location": "s3://answers/openrouter", **over})

    def served(self, server: FaultyServer) -> OpenRouterCostsSettings:
        return self.settings(storage=saved(server))


def saved(server: FaultyServer) -> dict[str, str]:
    """The days' answers as objects of a bucket; the options that reach it."""
    days = [FIRST + timedelta(days=n) for n in range(4)]
    return serve_bucket(
        server,
        "answers",
        {f"openrouter/{day}/activity/page-1.json": page(*ROWS.get(day, ())) for day in days},
    )
