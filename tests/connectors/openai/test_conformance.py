"""Both kinds survive what every connector must survive, by the API and as saved answers."""

import json
from typing import Any, ClassVar

from connectors.base import Window
from connectors.openai.costs import OpenAiCosts
from connectors.openai.settings import OpenAiCostsSettings, OpenAiUsageSettings
from connectors.openai.usage import OpenAiUsage
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer, json_answer, serve_bucket
from tests.connectors.openai.written import (
    DAY,
    KEY,
    MONTH,
    WINDOW,
    Organisation,
    completion,
    cost,
    costs_settings,
    epoch,
    page,
    result,
    usage_settings,
)

HOURS = [epoch(DAY, hour) for hour in range(24)]
USED = {
    "usage/completions": {
        epoch(DAY, 1): [completion(), completion(model="gpt-6-astra-mini", batch=True)],
        epoch(DAY, 13): [completion(api_key_id="key_b")],
    },
    "usage/web_search_calls": {epoch(DAY, 23): [result("web_searches", num_requests=5, context_level="low")]},
}
CHARGED = {
    "costs": {
        epoch(DAY): [cost(0.1), cost("0.20", "gpt-6-astra, output")],
        epoch(DAY.replace(day=17)): [cost(1e-7, "web search tool calls")],
    }
}
STORAGE_WAITS = "the object store's own client waits, for real: tests/connectors/test_storage.py"
SAVED = {
    "rate_limit": STORAGE_WAITS,
    "server_errors": STORAGE_WAITS,
    "truncated_response": STORAGE_WAITS,
    "page_loop": "a listing of files has no cursor that this connector follows",
}


class OpenAiConformance(ConnectorConformance):
    secrets = (KEY,)

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(bucket["results"]) for content in pages for bucket in json.loads(content)["data"])

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(
            b'{"object": "organization.', f'{{"{self.unknown_name}": 9, "object": "organization.'.encode()
        )

    def truncate(self, page: bytes) -> bytes:
        return page[:-20]

    def served_loop(self, server: FaultyServer) -> Any:
        settings = self.served(server)
        server.route("/v1/organization/", json_answer(page(next_page="cursor-0")))
        return settings


class TestUsage(OpenAiConformance):
    source = OpenAiUsage(sleep=Clock().sleep)

    def settings(self, **over: Any) -> OpenAiUsageSettings:
        return usage_settings(**{"bucket_width": "1h", **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        """Two pages of completions; two empty ones that stand for seven endpoints; the second of web searches."""
        organisation = Organisation(USED)
        used, nothing, searched = (
            [organisation.page_of(path, HOURS, first, 12, 3600) for first in (0, 12)]
            for path in ("usage/completions", "usage/embeddings", "usage/web_search_calls")
        )
        return [*used, *nothing, searched[1]]

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"input_tokens": 1000', b'"input_tokens": -1', 1)

    def empty_pages(self) -> list[bytes]:
        return [Organisation({}).page_of("usage/images", HOURS, 0, 24, 3600)]

    def served(self, server: FaultyServer) -> OpenAiUsageSettings:
        Organisation(USED, per_page=12).install(server)
        return self.settings(url=f"{server.url}/v1")


class TestCosts(OpenAiConformance):
    source = OpenAiCosts(sleep=Clock().sleep)

    def settings(self, **over: Any) -> OpenAiCostsSettings:
        return costs_settings(**over)

    def window(self) -> Window:
        return MONTH

    def pages(self) -> list[bytes]:
        days = list(range(epoch(DAY.replace(day=1)), epoch(DAY.replace(month=10, day=1)), 86_400))
        return [Organisation(CHARGED).page_of("costs", days, first, 10, 86_400) for first in (0, 10, 20)]

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"value": 0.1', b'"value": "0,1"', 1)

    def empty_pages(self) -> list[bytes]:
        return [page()]

    def served(self, server: FaultyServer) -> OpenAiCostsSettings:
        Organisation(CHARGED, per_page=10).install(server)
        return self.settings(url=f"{server.url}/v1")


class TestSavedUsage(TestUsage):
    inapplicable: ClassVar = SAVED

    def settings(self, **over: Any) -> OpenAiUsageSettings:
        chosen = ("completions", "images", "web_search_calls")
        return usage_settings(**{"location": "s3://answers/openai", "endpoints": chosen, **over})

    def served(self, server: FaultyServer) -> OpenAiUsageSettings:
        pages = self.pages()
        chains = {"completions": pages[:2], "images": pages[2:4], "web_search_calls": [pages[2], pages[4]]}
        return self.settings(storage=saved(server, "2026-09-03", chains))


class TestSavedCosts(TestCosts):
    inapplicable: ClassVar = SAVED

    def settings(self, **over: Any) -> OpenAiCostsSettings:
        return costs_settings(**{"location": "s3://answers/openai", **over})

    def served(self, server: FaultyServer) -> OpenAiCostsSettings:
        return self.settings(storage=saved(server, "2026-09", {"costs": self.pages()}))


def saved(server: FaultyServer, window: str, chains: dict[str, list[bytes]]) -> dict[str, str]:
    """The answers as objects of a bucket; the options that reach it."""
    objects = {
        f"openai/{window}/{endpoint}/page-{number}.json": content
        for endpoint, pages in chains.items()
        for number, content in enumerate(pages, 1)
    }
    return serve_bucket(server, "answers", {**objects, "openai/2026-08-31/completions/page-1.json": page()})
