"""The source of a Phoenix server's spans keeps what every connector promises."""

import json
from datetime import datetime
from typing import Any

import pytest

from connectors.base import SourceSettings, Window
from connectors.logs.values import keyed_hash
from connectors.phoenix import Phoenix
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.phoenix.answers import AGENT, CALL, KEY, PROJECT, TRACE, serve, span

HASH_KEY = "a key of the tests' own"


def told() -> list[Any]:
    """Five calls below an agent, newest first; one has failed, one embeds."""
    embedding = {"embedding.model_name": "text-embedding-3-small", "llm.token_count.prompt": 7.9999}
    return [
        span(5, embedding, "EMBEDDING", 1),
        span(4, {"llm.model_name": "gpt-4o"}, parent=1, status_code="ERROR"),
        *(span(number, CALL, parent=1) for number in (3, 2, 6)),
        span(1, AGENT, "AGENT"),
    ]


def landed(number: int, attributes: dict[str, Any], kind: str = "LLM", **over: Any) -> dict[str, Any]:
    return {
        "attributes": {**attributes, "openinference.span.kind": kind},
        "end": f"2026-11-21T02:31:{number:02d}.319954+00:00",
        "parent_id": f"{1:016x}",
        "span_id": f"{number:016x}",
        "start": f"2026-11-21T02:31:{number:02d}.069954+00:00",
        "status": "success",
        "trace_id": TRACE,
        **over,
    }


def page(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in rows)


class TestPhoenix(ConnectorConformance):
    source = Phoenix(sleep=Clock().sleep)
    secrets = (KEY,)

    @pytest.fixture(autouse=True)
    def _small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.logs.landing.ROWS_PER_PAGE", 3)

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "phoenix", "kind": "phoenix", "url": "https://phoenix.example.com", "project": PROJECT}
        given |= {"api_key": KEY, "hash_key": HASH_KEY, "outcome_keys": ["ticket"], "spans_per_answer": 4}
        return self.source.settings_model.model_validate({**given, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        agent = landed(1, {}, "AGENT", metadata={"team": "support", "ticket": "T-9"})
        del agent["parent_id"]
        agent["attributes"] |= {"session.id": "sess-9", "tag.tags": ["env:prod"]}
        agent["attributes"]["user.id"] = keyed_hash(HASH_KEY)("alice@corp.test")
        embedding = {"embedding.model_name": "text-embedding-3-small", "llm.token_count.prompt": 8}
        failed = landed(4, {"llm.model_name": "gpt-4o"}, status="failure")
        first = page(landed(5, embedding, "EMBEDDING"), failed, landed(3, CALL))
        return [first, page(landed(2, CALL), landed(6, CALL), agent)]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") - content.count(b'"AGENT"') for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"parent_id"', b'"x_from_the_future":1,"parent_id"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"span_id":"0000000000000005"', b'"span_id":""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]

    def served(self, server: FaultyServer) -> SourceSettings:
        serve(server, told())
        return self.settings(url=server.url)

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        serve(server, told(), loops=True)
        return self.settings(url=server.url)
