"""What a real Envoy wrote of real requests becomes attempts, whatever its keys are called."""

import json
from datetime import date
from typing import Any

import pytest

from connectors.logs.values import keyed_hash
from tests.connectors.envoy.conftest import Traffic
from tests.connectors.envoy.gateway import OWN_KEYS
from tests.connectors.stored_log import KEY, LogFolder

FIGURES = (
    "status", "requested_model", "billed_model", "input_uncached_tokens", "cache_read_tokens", "output_text_tokens",
    "output_reasoning_tokens", "x_extra",
)  # fmt: skip
# 1200 in, of them 1024 cached; 300 out, of them 128 reasoning
USED = (176, 1024, 172, 128)
UNTOLD = (None, None, None, None)
EXPECTED = {
    "T-answered": ("success", "gpt-5", "gpt-5-2025-08-07", *USED, None),
    "T-exhausted": ("failure", "always-500", "always-500", *UNTOLD, '{"attempts":2,"response_flags":"URX"}'),
    "T-retried": ("success", "flaky", "gpt-5-2025-08-07", *USED, '{"attempts":2}'),
    "T-untold": ("success", "streams-no-usage", "gpt-4o", *UNTOLD, None),
    "T-unreachable": ("failure", "gpt-5", "gpt-5", *UNTOLD, '{"response_flags":"UF"}'),
}
OWN = {"keys": OWN_KEYS, "team_id_field": "who.team"}


def rows_by_ticket(log: LogFolder, lines: bytes, **over: Any) -> dict[str, dict[str, Any]]:
    """The rows of every day that the lines tell of: the round of traffic may run over midnight."""
    log.raw("access.jsonl", lines)
    days = {date.fromisoformat(json.loads(line)["start_time"][:10]) for line in lines.splitlines()}
    found = [row for day in sorted(days) for row in log.rows(day, **over)]
    return {json.loads(row["outcome_ids"])["ticket"]: row for row in found}


def test_callers_saw_what_was_meant_and_envoy_retried(traffic: Traffic) -> None:
    assert traffic.statuses == [200, 500, 200, 200, 503, 200]
    # to both listeners: one answer, two failures, a failure and an answer, one stream, none, one list
    assert traffic.upstream_requests == 2 * (1 + 2 + 2 + 1 + 0 + 1)


@pytest.mark.parametrize(("listener", "over"), [("recommended", {}), ("own", OWN)])
def test_every_request_for_a_model_is_an_attempt_with_the_figures_of_its_answer(
    listener: str, over: dict[str, Any], traffic: Traffic, log: LogFolder
) -> None:
    rows = rows_by_ticket(log, getattr(traffic, listener), **over)
    assert {ticket: tuple(row[name] for name in FIGURES) for ticket, row in rows.items()} == EXPECTED
    assert {row["gateway_team_id"] for row in rows.values()} == {"search"}
    assert {row["call_type"] for row in rows.values()} == {"chat/completions"}
    assert {(row["provider"], row["deployment_id"]) for row in rows.values()} == {("openai", "default/openai")}


def test_ids_times_and_durations_are_those_of_the_lines(traffic: Traffic, log: LogFolder) -> None:
    rows = rows_by_ticket(log, traffic.recommended)
    told = {found["ticket"]: found for found in map(json.loads, traffic.recommended.splitlines())}
    for ticket, row in rows.items():
        assert row["request_id"] == told[ticket]["x-request-id"]
        assert f"{row['started_at'].isoformat(timespec='milliseconds')}Z" == told[ticket]["start_time"]
        assert round(row["latency_seconds"] * 1000) == told[ticket]["duration"]


def test_people_and_keys_are_hashes_and_the_endpoint_is_the_upstreams(traffic: Traffic, log: LogFolder) -> None:
    row = rows_by_ticket(log, traffic.own, **OWN)["T-answered"]
    assert row["user_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert row["key_id"] == keyed_hash(KEY)("Bearer canary-key")
    line = json.loads(traffic.own.splitlines()[0])
    assert row["api_base"] == line["upstream_host"]


@pytest.mark.parametrize(("listener", "over"), [("recommended", {}), ("own", OWN)])
def test_nothing_that_callers_sent_beside_the_figures_reaches_a_page(
    listener: str, over: dict[str, Any], traffic: Traffic, log: LogFolder
) -> None:
    lines: bytes = getattr(traffic, listener)
    for word in (b"canary-query", b"canary-key", b"canary-agent", b"203.0.113.77"):
        assert word in lines
    log.raw("access.jsonl", lines)
    day = date.fromisoformat(json.loads(lines.splitlines()[0])["start_time"][:10])
    landed = log.landed_bytes(day, **over)
    assert b"chat/completions" in landed
    for word in (b"canary", b"203.0.113.77", b"alice"):
        assert word not in landed
