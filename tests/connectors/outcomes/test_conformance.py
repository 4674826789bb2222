"""The sources of outcomes keep what every connector promises, as files and as a table."""

import json
from datetime import datetime
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.outcomes import SOURCE
from connectors.outcomes.database import SOURCE as DATABASE
from tests.connectors.conformance import ConnectorConformance

FIELDS = {
    "outcome_id": "ticket",
    "occurred_at": "at",
    "result": "state",
    "quality_value": "csat",
    "customer_hash": "customer.mail",
}


def landed(number: int, **over: object) -> dict[str, object]:
    return {
        "customer_hash": "0" * 32,
        "occurred_at": f"2026-11-21T02:00:{number:02d}",
        "outcome_id": f"T-{number}",
        "quality_value": "4",
        "result": "resolved",
        **over,
    }


def page(*rows: dict[str, object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class TestOutcomesFile(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage, whose own tests put the faults before it"
    }

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "desk", "kind": "outcomes_file", "location": "/", "hash_key": "sixteen letters!"}
        given |= {"fields": FIELDS, "constants": {"outcome_kind": "ticket-resolved"}}
        return SOURCE.settings_model.model_validate({**given, **over})

    def window(self) -> Window:
        return Window(datetime(2026, 11, 21), datetime(2026, 11, 22))

    def pages(self) -> list[bytes]:
        reopened = landed(1, result="reopened", occurred_at="2026-11-21T09:00:00")
        return [page(landed(1), landed(2), landed(2)), page(landed(3), reopened, landed(2))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"\n") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"outcome_id"', b'"x_from_the_future": 1, "outcome_id"', 1)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"T-1"', b'""', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [b""]


class TestOutcomesSql(TestOutcomesFile):
    source = DATABASE
    inapplicable: ClassVar = {"fetch": "rows come from PostgreSQL: test_database.py puts a real server"}

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "desk", "kind": "outcomes_sql", "dsn": "postgresql://u:p@h/d", "table": "t"}
        given |= {"hash_key": "sixteen letters!", "fields": FIELDS, "constants": {"outcome_kind": "ticket-resolved"}}
        return DATABASE.settings_model.model_validate({**given, **over})
