"""Both kinds of Portkey's log keep what every connector promises."""

import json
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.logs.allow_list import Redactor
from connectors.portkey.files import SOURCE as FILES
from connectors.portkey.requests import allowed
from connectors.windows import day_window
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.portkey.exchange import API_KEY, SIGNATURE, Workspace, request, settings, source
from tests.connectors.stored_log import DAY, KEY

ROWS = [
    request(),
    request(id="0e9f-2", created_at="2026-11-21T13:00:00.000Z", is_success=False, req_units=0, res_units=0,
            total_units=0, cost=0, response_status_code=500),
    request(id="0e9f-3", created_at="2026-11-21T23:59:59.000Z", ai_model="my-finetune", cost=0),
]  # fmt: skip


def page(redact: Redactor, *rows: dict[str, Any]) -> bytes:
    lines = [json.dumps(redact(row), sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


class PortkeyConformance(ConnectorConformance):
    def window(self) -> Window:
        return day_window(DAY)

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"id"', b'"x_from_the_future": 1, "id"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"0e9f-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]


class TestPortkey(PortkeyConformance):
    source = source(Clock())
    secrets = (API_KEY, SIGNATURE)
    inapplicable: ClassVar = {
        "page_loop": "one export holds a window: there are no cursors",
        "reordered_pages": "a day of fewer rows than a page holds is one page",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def pages(self) -> list[bytes]:
        return [page(allowed(settings()).redact, *ROWS)]

    def served(self, server: FaultyServer) -> SourceSettings:
        return Workspace(ROWS).install(server)


class TestPortkeyFiles(PortkeyConformance):
    source = FILES
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "log", "kind": "portkey_files", "location": "/", "hash_key": KEY}
        return FILES.settings_model.model_validate({**given, **over})

    def pages(self) -> list[bytes]:
        redact = allowed(settings()).redact
        return [page(redact, *ROWS[:2], ROWS[1]), page(redact, ROWS[2], ROWS[1])]
