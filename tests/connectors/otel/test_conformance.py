"""The source of traces in files keeps what every connector promises."""

from datetime import datetime
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.otel import SOURCE
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.otel.written import landed, page


class TestOtelGenAi(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "traces", "kind": "otel_genai", "location": "/", "hash_key": "sixteen letters!"}
        return SOURCE.settings_model.model_validate({**given, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        agent = landed(9, attributes={"user.id": "someone"})
        return [
            page(landed(1, span_id="00000000000000a1"), landed(2), landed(2), agent),
            page(landed(3, parent_id=f"{9:016x}"), landed(4, parent_id=f"{3:016x}"), landed(5, status="failure")),
        ]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b'"chat"') for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"trace_id"', b'"x_from_the_future": 1, "trace_id"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"00000000000000a1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]
