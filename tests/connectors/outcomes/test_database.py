"""Outcomes in a real PostgreSQL: each event of a day once, and words that say what is missing."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from connectors.base import AuthenticationError, SourceError
from connectors.outcomes.database import SOURCE
from tests.connectors.stored_log import LogNights
from tests.postgres_server import Postgres, postgres_server

_TABLE = (
    "create table documents (id bigint, finished timestamptz, ok boolean, accuracy numeric, detail jsonb, body text)"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres_server() as running:
        running.run("postgres", _TABLE, "create role reader login password 'reader'")
        running.run("postgres", "grant select (id, finished, ok, accuracy, detail) on documents to reader")
        yield running


@pytest.fixture
def documents(server: Postgres) -> LogNights:
    server.run("postgres", "truncate documents")
    given: dict[str, Any] = {
        "dsn": server.dsn(user="reader", password="reader"),
        "tls": "disable",
        "table": "documents",
        "constants": {"outcome_kind": "document-parsed"},
        "fields": {
            "outcome_id": "id",
            "occurred_at": "finished",
            "is_success": "ok",
            "quality_value": "accuracy",
            "trace_id": "detail.trace",
        },
    }
    return LogNights(SOURCE, given)


def test_a_day_is_the_half_open_utc_day_and_a_path_leads_into_json(server: Postgres, documents: LogNights) -> None:
    server.run(
        "postgres",
        """insert into documents values
        (1, '2026-11-20 23:59:59.999999Z', true, 0.5, null, 'secret'),
        (2, '2026-11-21 01:00:00+01', true, 0.25, '{"trace": "tr-2"}', 'secret'),
        (3, '2026-11-21 23:59:59Z', false, null, null, 'secret'),
        (4, '2026-11-22 00:00:00Z', true, 1, null, 'secret')""",
    )
    found = documents.rows(date(2026, 11, 21))
    assert [(r["outcome_id"], r["is_success"], r["quality_value"], r["trace_id"]) for r in found] == [
        ("2", True, 0.25, "tr-2"),
        ("3", False, None, None),
    ]
    assert b"secret" not in documents.landed_bytes(date(2026, 11, 21))


def test_a_column_that_is_not_there_or_may_not_be_read_is_named(documents: LogNights) -> None:
    fields = documents.given["fields"]
    with pytest.raises(SourceError, match="no column finishd; is finished meant"):
        documents.night(fields={**fields, "occurred_at": "finishd"})
    with pytest.raises(AuthenticationError, match=r"no right to read body.*grant select"):
        documents.night(fields={**fields, "result": "body"})
    with pytest.raises(SourceError, match=r"no table public\.docs"):
        documents.night(table="docs")
    assert "can be read" in SOURCE.probe(documents.settings())
