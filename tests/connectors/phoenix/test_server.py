"""What applications sent to the real Phoenix server comes back as attempts, page by page, and nothing that was said."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import LandedPage, SourceError, Window
from connectors.logs.values import keyed_hash
from connectors.phoenix import SOURCE
from connectors.windows import day_window
from tests.connectors.phoenix.server import send_spans

DAY, KEY, PROJECT = date(2026, 11, 21), "a key of the tests' own", "support-bot"
START = datetime(2026, 11, 21, 2, 31)
BUCKETS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
)


@pytest.fixture(scope="session")
def address(phoenix: str) -> str:
    send_spans(phoenix, PROJECT, int(START.replace(tzinfo=UTC).timestamp()))
    return phoenix


def settings(url: str, **over: Any) -> Any:
    given = {"name": "phoenix", "kind": "phoenix", "url": url, "project": PROJECT, "hash_key": KEY}
    given |= {"environment_key": "env", "outcome_keys": ["ticket"]}
    return SOURCE.settings_model.model_validate(given | over)


def landed(given: Any, window: Window) -> list[LandedPage]:
    pages = []
    for page in SOURCE.fetch(given, window):
        with page.body.open() as stream:
            pages.append(LandedPage(page.name, hashlib.sha256(stream.read()).hexdigest(), page.body))
    return pages


def content(pages: list[LandedPage]) -> bytes:
    return b"".join(page.body.open().__enter__().read() for page in pages)


def test_a_trace_of_the_real_server_becomes_the_attempts_worked_out_by_hand(address: str) -> None:
    given = settings(address)
    chunks = list(SOURCE.parse(given, day_window(DAY), landed(given, day_window(DAY))))
    assert [reject for chunk in chunks for reject in chunk.rejects] == []
    assert [notice for chunk in chunks for notice in chunk.notices] == []
    assert sum(chunk.duplicate_count for chunk in chunks) == 1  # OpenInference and GenAI told one call
    rows = sorted((row for chunk in chunks for row in chunk.rows.to_pylist()), key=lambda row: row["started_at"])
    assert [tuple(row[name] for name in BUCKETS) for row in rows] == [
        (176, 1024, 0, 200, 100),  # OpenInference alone told the reasoning
        (100, 700, 400, 300, 0),  # 1100 cached cannot be inside of 100
        (8, 0, 0, 0, 0),
        (None, None, None, None, None),
    ]
    assert [(row["provider"], row["billed_model"], row["call_type"], row["status"]) for row in rows] == [
        ("openai", "gpt-4o-2024-08-06", "chat", "success"),
        ("anthropic", "claude-sonnet-4-5", "chat", "success"),
        ("openai", "text-embedding-3-small", "embeddings", "success"),
        ("openai", "gpt-4o", "chat", "failure"),
    ]
    assert [row["started_at"] - START for row in rows] == [timedelta(seconds=second) for second in (1, 3, 4, 5)]
    first = rows[0]
    assert (first["request_id"], first["api_base"]) == ("chatcmpl-1", "api.openai.com")
    assert (first["source_reported_cost_usd"], first["latency_seconds"]) == (Decimal("0.00472"), 10.0)
    callers = {(row["gateway_team_id"], row["environment"], row["outcome_ids"], row["user_hash"]) for row in rows}
    assert callers == {("support", "prod", '{"ticket":"T-9"}', keyed_hash(KEY)("alice@corp.test"))}


@pytest.mark.parametrize("spans_per_answer", [1, 3, 7, 1000])
def test_however_many_spans_an_answer_holds_the_day_is_the_same(spans_per_answer: int, address: str) -> None:
    whole = content(landed(settings(address), day_window(DAY)))
    assert whole.count(b"\n") == 7
    assert content(landed(settings(address, spans_per_answer=spans_per_answer), day_window(DAY))) == whole


def test_a_day_ends_before_its_last_instant(address: str) -> None:
    next_day = content(landed(settings(address), day_window(DAY + timedelta(days=1))))
    assert next_day.count(b"\n") == 1
    assert b"chatcmpl-2" in next_day
    at_the_start = Window(START, START + timedelta(seconds=1))
    assert content(landed(settings(address), at_the_start)).count(b"\n") == 1


def test_nothing_that_was_said_reaches_a_page(address: str) -> None:
    found = content(landed(settings(address), day_window(DAY)))
    for word in (b"canary", b"alice", b"corp.test", b"ChatCompletion"):
        assert word not in found


def test_the_probe_says_whether_the_project_can_be_read(address: str) -> None:
    assert SOURCE.probe(settings(address)) == f"{address}: the project {PROJECT} can be read, and has spans"
    assert SOURCE.probe(settings(address, project="default")).endswith("can be read, with no spans")
    with pytest.raises(SourceError, match="Is there a project of the name 'nobody'"):
        SOURCE.probe(settings(address, project="nobody"))
