"""The mapped source keeps what every connector promises."""

import json
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.mapped_log import SOURCE
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.mapped_log.conftest import GIVEN


def landed(number: int, **over: object) -> dict[str, object]:
    return {
        "billed_model": "gpt-5-mini",
        "cost": "0.000001",
        "input_tokens": 10 + number,
        "output_tokens": 5,
        "request_id": f"r{number}",
        "started_at": f"2026-11-21T02:00:{number:02d}",
        "status": "ok",
        **over,
    }


def page(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class TestMappedLog(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "own", "kind": "mapped_log", "location": "/", "hash_key": "sixteen letters!", **GIVEN}
        return SOURCE.settings_model.model_validate({**given, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        return [page(landed(1), landed(2), landed(2)), page(landed(3), landed(2), landed(4, status="err"))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"billed_model"', b'"x_from_the_future": 1, "billed_model"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"r1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]
