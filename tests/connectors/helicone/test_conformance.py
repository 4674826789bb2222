"""The sources of Helicone's requests keep what every connector promises, by the API and as rows of its table."""

from datetime import datetime
from typing import Any, ClassVar

import pytest

from connectors.base import SourceSettings, Window
from connectors.helicone import Helicone
from connectors.helicone.table import HeliconeTable
from connectors.logs.values import keyed_hash
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.helicone.written import API_KEY, HASH_KEY, NOBODY, Organisation, page, request


def landed(number: int, **over: Any) -> dict[str, Any]:
    said = {"Helicone-Session-Id": "s1", "team": "search", "ticket": "T-1"}
    return {
        "cache_enabled": False,
        "cache_reference_id": NOBODY,
        "completion_tokens": 300,
        "cost": "0.00472",
        "delay_ms": 1001,
        "model": "gpt-4o-2024-08-06",
        "prompt_cache_read_tokens": 1024,
        "prompt_cache_write_tokens": 0,
        "prompt_tokens": 176,
        "properties": said,
        "provider": "OPENAI",
        "request_created_at": "2026-11-21T01:38:40.440Z",
        "request_id": f"req-{number}",
        "request_model": "gpt-4o-2024-08-06",
        "request_path": "https://api.openai.com/v1/chat/completions",
        "request_properties": said,
        "request_user_id": keyed_hash(HASH_KEY)("alice@corp.test"),
        "response_created_at": "2026-11-21T01:38:41.441Z",
        "response_status": 200,
        "target_url": "https://api.openai.com/v1/chat/completions",
        "total_tokens": 476,
        "updated_at": "2026-11-21T02:39:54.000Z",
        **over,
    }


class HeliconeConformance(ConnectorConformance):
    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        failed = landed(4, response_status=500, prompt_tokens=0, completion_tokens=0, prompt_cache_read_tokens=0)
        failed |= {"total_tokens": 0, "cost": "0"}
        late = landed(5, request_created_at="2026-11-21T23:59:59.999Z")
        return [page([landed(1), landed(2)]), page([landed(3), failed]), page([late])]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"cache_enabled"', b'"x_from_the_future":1,"cache_enabled"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"req-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]


class TestHelicone(HeliconeConformance):
    source = Helicone(sleep=Clock().sleep)
    secrets = (API_KEY,)

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.logs.landing.ROWS_PER_PAGE", 2)

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "helicone", "api_key": API_KEY, "hash_key": HASH_KEY}
        given |= {"outcome_keys": ["ticket"], "rows_per_page": 3, "hours_per_query": 24}
        return self.source.settings_model.model_validate({**given, **over})

    def organisation(self, **over: Any) -> Organisation:
        nothing = {"prompt_tokens": 0, "completion_tokens": 0, "prompt_cache_read_tokens": 0, "total_tokens": 0}
        rows = [
            *(request(number) for number in (1, 2, 3)),
            request(4, response_status=500, cost=0, **nothing),
            request(5, request_created_at="2026-11-21T23:59:59.999Z"),
            request(6, request_created_at="2026-11-22T00:00:00.000Z"),
        ]
        return Organisation(rows, **over)

    def served(self, server: FaultyServer) -> SourceSettings:
        self.organisation().install(server)
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        self.organisation(ignores_offset=True).install(server)
        return self.settings(url=server.url)


class TestHeliconeTable(HeliconeConformance):
    source = HeliconeTable()
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "helicone_table", "location": "/", "hash_key": HASH_KEY}
        return self.source.settings_model.model_validate({**given, "outcome_keys": ["ticket"], **over})
