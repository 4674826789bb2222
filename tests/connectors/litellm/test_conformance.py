"""The LiteLLM source keeps what every connector promises."""

import json
from datetime import datetime
from typing import ClassVar

from connectors.base import Window
from connectors.litellm import SOURCE
from connectors.litellm.settings import LiteLlmSettings
from tests.connectors.conformance import ConnectorConformance


def landed(number: int, **over: object) -> dict[str, object]:
    return {
        "call_type": "acompletion",
        "completion_tokens": 5,
        "custom_llm_provider": "openai",
        "id": f"chatcmpl-{number}",
        "model": "openai/gpt-5-mini",
        "prompt_tokens": 10 + number,
        "response_cost": "0.000001",
        "startTime": 1795226400 + number,
        "status": "success",
        "total_tokens": 15 + number,
        **over,
    }


def page(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class TestLiteLlm(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: object) -> LiteLlmSettings:
        return LiteLlmSettings.model_validate(
            {"name": "gw", "kind": "litellm", "location": "/", "hash_key": "sixteen letters!", **over}
        )

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        return [page(landed(1), landed(2), landed(2)), page(landed(3), landed(2), landed(4, status="failure"))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"id"', b'"x_from_the_future": 1, "id"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"chatcmpl-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]
