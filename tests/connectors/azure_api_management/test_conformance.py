"""Both ways to the gateway's log keep what every connector promises."""

import json
from typing import Any, ClassVar

from connectors.azure_api_management.calls import allowed
from connectors.azure_api_management.export import SOURCE as EXPORT
from connectors.base import SourceSettings, Window
from connectors.windows import day_window
from tests.connectors.azure.tokens import TOKEN
from tests.connectors.azure_api_management.workspace import LogAnalytics, call, row, settings, source
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.stored_log import DAY, KEY

NOTHING = {"PromptTokens": 0, "CompletionTokens": 0, "TotalTokens": 0}
CALLS = [
    call(),
    call(CorrelationId="22bb", RequestId="chatcmpl-2", TimeGenerated="2026-11-21T13:00:00Z"),
    call(CorrelationId="33cc", RequestId="", TimeGenerated="2026-11-21T23:59:59Z", IsRequestSuccess=False, **NOTHING),
]


def page(*rows: dict[str, Any]) -> bytes:
    redact = allowed(settings()).redact
    return "".join(f"{json.dumps(redact(one), sort_keys=True, separators=(',', ':'))}\n" for one in rows).encode()


class ApiManagementConformance(ConnectorConformance):
    def window(self) -> Window:
        return day_window(DAY)

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"CorrelationId"', b'"x_from_the_future": 1, "CorrelationId"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"TotalTokens":1500', b'"TotalTokens":1400', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]


class TestApiManagement(ApiManagementConformance):
    source = source(Clock())
    secrets = (TOKEN,)
    inapplicable: ClassVar = {
        "page_loop": "one answer holds a window: there are no cursors",
        "reordered_pages": "a day of fewer rows than a page holds is one page",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def pages(self) -> list[bytes]:
        return [page(*CALLS)]

    def served(self, server: FaultyServer) -> SourceSettings:
        return LogAnalytics(CALLS).install(server)


class TestApiManagementExport(ApiManagementConformance):
    source = EXPORT
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": EXPORT.kind, "location": "/", "hash_key": KEY}
        return EXPORT.settings_model.model_validate({**given, **over})

    def pages(self) -> list[bytes]:
        chunk = row(SequenceNumber=1, **NOTHING)
        other = row(CorrelationId="22bb", RequestId="chatcmpl-2")
        return [page(row(), chunk, other), page(other, row(CorrelationId="33cc", RequestId="chatcmpl-3"))]
