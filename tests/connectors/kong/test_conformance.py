"""The source of Kong AI Gateway's log keeps what every connector promises."""

import json
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.kong import SOURCE
from tests.connectors.conformance import ConnectorConformance


def landed(number: int, status: int = 200, **usage: object) -> dict[str, object]:
    counted = {"prompt_tokens": 10 + number, "completion_tokens": 5, "total_tokens": 15 + number, "cost": "0.001"}
    return {
        "call": {
            "meta": {"provider_name": "openai", "request_model": "gpt-4o", "response_model": "gpt-4o"},
            "usage": {**counted, **usage},
        },
        "level": "proxy",
        "request": {"id": f"r{number}", "uri": "chat/completions"},
        "response": {"status": status},
        "started_at": 1795225120000 + number,
    }


def page(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class TestKongAi(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "kong_ai", "location": "/", "hash_key": "sixteen letters!"}
        return SOURCE.settings_model.model_validate({**given, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        words = landed(4, prompt_tokens=0, completion_tokens=7, total_tokens=7)
        return [page(landed(1), landed(2), landed(2)), page(landed(3), landed(2), words, landed(5, 503))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"level"', b'"x_from_the_future": 1, "level"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"r1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]
