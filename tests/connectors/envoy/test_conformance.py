"""The source of Envoy AI Gateway's access log keeps what every connector promises."""

import json
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.envoy import SOURCE
from tests.connectors.conformance import ConnectorConformance


def landed(number: int, **over: object) -> dict[str, object]:
    return {
        "backend": "default/openai/route/ai/rule/0/ref/0",
        "input_tokens": 10 + number,
        "output_tokens": 5,
        "path": "chat/completions",
        "request_id": f"r{number}",
        "response_code": 200,
        "response_model": "gpt-4o",
        "start_time": f"2026-11-21T02:00:{number:02d}.123Z",
        **over,
    }


def page(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class TestEnvoyAiGateway(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "envoy_ai_gateway", "location": "/", "hash_key": "sixteen letters!"}
        return SOURCE.settings_model.model_validate({**given, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        failed: dict[str, object] = {"request_id": "r4", "response_code": 503, "start_time": "2026-11-21T02:00:04Z"}
        return [page(landed(1), landed(2), landed(2)), page(landed(3), landed(2), failed)]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"backend"', b'"x_from_the_future": 1, "backend"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"r1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]
