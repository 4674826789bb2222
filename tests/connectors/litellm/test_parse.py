"""Attempts are counted once, retries are attempts of their own, and what does not hold is refused with its reason."""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.logs import staging as parse_module
from tests.connectors.litellm.conftest import Gateway

Payload = Callable[..., dict[str, Any]]


def test_a_payload_becomes_the_row_worked_out_by_hand(payload: Payload, gateway: Gateway) -> None:
    gateway.file("2026-11-21/x.json", [payload()])
    (row,) = gateway.rows()
    assert row["started_at"] == datetime(2026, 11, 21, 2, 0, 0, 250_000)
    assert row["ended_at"] == datetime(2026, 11, 21, 2, 0, 1, 750_000)
    assert row["latency_seconds"] == 1.5
    assert (row["requested_model"], row["billed_model"], row["deployment_id"]) == (
        "small",
        "gpt-5-mini",
        "deployment-1",
    )
    assert (row["input_uncached_tokens"], row["cache_read_tokens"]) == (400, 600)
    assert (row["output_text_tokens"], row["output_reasoning_tokens"]) == (30, 20)
    assert row["source_reported_cost_usd"] == Decimal("0.000215")
    assert (row["feature"], row["environment"], row["tags"]) == ("search", None, '["feature:search"]')
    assert (row["attempt_group_id"], row["gateway"], row["api_base"]) == (
        "call-1",
        "litellm",
        "https://api.example.com/v1",
    )


def test_an_alias_that_two_deployments_share_is_the_model_that_runs_in_each(payload: Payload, gateway: Gateway) -> None:
    """The gateway's own group of models is no matter; two resources of a cloud may call different models the same."""
    east, west = "https://east.openai.azure.com/", "https://west.openai.azure.com/"
    calls = [("1", "deployment-1", east), ("2", "deployment-2", west), ("3", "deployment-3", f"{west}openai/v1")]
    named = {"custom_llm_provider": "azure", "model": "azure/chat", "model_group": "smart"}
    gateway.file("2026-11-21/a.json", [payload(id=n, model_id=at, api_base=url, **named) for n, at, url in calls])
    deployed = {"deployment-1": "gpt-4o", west: "gpt-4o-mini"}
    rows = gateway.night(deployed_models=deployed).rows.sort_by("request_id").to_pylist()
    assert [row["billed_model"] for row in rows] == ["gpt-4o", "gpt-4o-mini", "gpt-4o-mini"]
    assert [row["requested_model"] for row in rows] == ["smart"] * 3
    assert {row["billed_model"] for row in gateway.rows()} == {"chat"}


@pytest.mark.parametrize("call_type", ["acreate_batch", "create_batch", "aretrieve_batch", "retrieve_batch"])
def test_a_batch_is_a_sum_of_requests_at_batch_prices(call_type: str, payload: Payload, gateway: Gateway) -> None:
    stated = {"service_tier": "default"}
    gateway.file("2026-11-21/a.json", [payload(call_type=call_type, cost_breakdown=stated), payload(id="chatcmpl-2")])
    night = gateway.night()
    rows = night.rows.sort_by("request_id").to_pylist()
    assert [(row["service_tier"], row["is_sum"]) for row in rows] == [("batch", True), (None, None)]
    assert night.notices == (
        "1 row is the sum of a batch's requests: their context bands are unknown, and the smallest one's price is taken",
    )


def test_an_object_that_is_no_attempt_is_a_row_of_its_file(payload: Payload, gateway: Gateway) -> None:
    gateway.file("2026-11-21/a.json", [payload(), {"no": "attempt"}])
    (reject,) = gateway.night().rejects
    assert reject.detail == (
        "a row of 2026-11-21/a.json could not be read as a logged attempt; nothing of it is kept, look at the file itself"
    )


def test_a_repeated_delivery_of_an_attempt_is_counted_once(payload: Payload, gateway: Gateway) -> None:
    gateway.file("2026-11-21/a.json", [payload()])
    gateway.file("2026-11-21/b.json", [payload(), payload(id="chatcmpl-2")])
    gateway.file("2026-11-22/c.json", [payload()])
    night = gateway.night()
    assert (night.rows.num_rows, night.duplicate_count) == (2, 2)
    assert night.notices == (f"attempts that came again were counted once, such as {payload()['id']}",)


def test_a_conversation_is_no_operation(payload: Payload, gateway: Gateway) -> None:
    """Callers use a trace id for all calls of a session: one that failed hours before is no try of this one."""
    calls = [payload(id=name, trace_id="session-1", litellm_call_id=None) for name in ("1", "2")]
    gateway.file("2026-11-21/a.jsonl", calls)
    assert [(row["attempt_group_id"], row["trace_id"]) for row in gateway.rows()] == [(None, "session-1")] * 2


def test_retries_are_attempts_of_their_own_in_one_group(payload: Payload, gateway: Gateway) -> None:
    failed = payload(id="call-1", status="failure", metadata={}, prompt_tokens=0, completion_tokens=0, total_tokens=0)
    gateway.file("2026-11-21/a.jsonl", [failed, payload()])
    rows = gateway.rows()
    assert {row["attempt_group_id"] for row in rows} == {"call-1"}
    assert [(row["status"], row["billed_model"], row["input_total_tokens"]) for row in rows] == [
        ("failure", "gpt-5-mini", None),
        ("success", "gpt-5-mini", 1000),
    ]


def test_an_id_that_is_used_again_for_another_request_loses_nothing_and_is_told(
    payload: Payload, gateway: Gateway
) -> None:
    gateway.file("2026-11-21/a.jsonl", [payload(), payload(startTime=1795226500.0), payload(response_cost=0.5)])
    night = gateway.night()
    assert (night.rows.num_rows, night.duplicate_count) == (3, 0)
    assert sorted(night.rows["is_id_used_before"].to_pylist()) == [False, True, True]
    (notice,) = night.notices
    assert "2 attempts carry an id that another attempt of the day has too, such as chatcmpl-1" in notice


def test_one_id_that_is_used_again_is_told_as_one(payload: Payload, gateway: Gateway) -> None:
    gateway.file("2026-11-21/a.jsonl", [payload(), payload(response_cost=0.5)])
    (notice,) = gateway.night().notices
    assert "1 attempt carries an id that another attempt of the day has too, such as chatcmpl-1" in notice


@pytest.mark.parametrize(
    ("begun", "status", "has_begun"),
    [
        (1795226400.5, "failure", True),  # a first part came half a second before the end
        (1795226401.75, "failure", None),  # of what has no first part the end is written
        (None, "failure", None),
        (1795226400.5, "success", True),
    ],
)
def test_an_answer_of_which_a_first_part_came_has_begun_however_it_ended(
    payload: Payload, gateway: Gateway, begun: float | None, status: str, has_begun: bool | None
) -> None:
    cut = payload(
        completionStartTime=begun,
        status=status,
        stream=None,
        metadata={},
        prompt_tokens=0,
        completion_tokens=0,
        total_tokens=0,
    )
    gateway.file("2026-11-21/a.jsonl", [cut])
    (row,) = gateway.rows()
    assert (row["has_begun"], row["is_stream"], row["billed_model"]) == (has_begun, has_begun, "gpt-5-mini")


def test_a_cancelled_stream_with_no_usage_is_unknown_and_not_zero(payload: Payload, gateway: Gateway) -> None:
    cut = payload(stream=True, metadata={}, prompt_tokens=0, completion_tokens=0, total_tokens=0, response_cost=0.0)
    gateway.file("2026-11-21/a.jsonl", [cut])
    (row,) = gateway.rows()
    assert (row["input_total_tokens"], row["output_total_tokens"], row["usage_provenance"]) == (None, None, "missing")


@pytest.mark.parametrize(
    ("over", "reason", "column"),
    [
        ({"id": ""}, "missing_id", "request_id"),
        ({"status": "pending"}, "unknown_status", "status"),
        ({"startTime": None}, "unreadable_start", None),
        ({"startTime": 1795226400250}, "unreadable_start", None),  # milliseconds
        ({"startTime": "soon"}, "unreadable_value", "startTime"),
        ({"prompt_tokens": "many", "metadata": {}}, "unreadable_value", "prompt_tokens"),
        ({"prompt_tokens": -1, "metadata": {}}, "bad_token_count", None),
        ({"total_tokens": 7, "metadata": {}}, "total_does_not_add_up", "input_total_tokens"),
    ],
)
def test_a_row_that_does_not_hold_is_refused_with_reason_payload_and_cost(
    over: dict[str, Any], reason: str, column: str | None, payload: Payload, gateway: Gateway
) -> None:
    gateway.file("2026-11-21/a.jsonl", [payload(**over), payload(id="good")])
    night = gateway.night()
    assert night.rows["request_id"].to_pylist() == ["good"]
    (reject,) = night.rejects
    assert (reject.reason, reject.column_name) == (reason, column)
    assert "a prompt" not in reject.payload
    assert json.loads(reject.payload)["model"] == "openai/gpt-5-mini"
    assert reject.cost in (Decimal("0.000215"), None)


@pytest.mark.parametrize(
    ("cost", "reason"),
    [
        ("NaN", "unreadable_value"),
        ("$5", "unreadable_value"),
        (1e6, "cost_out_of_range"),
        ("1e400", "cost_out_of_range"),
        ("1e1000000", "cost_out_of_range"),
    ],
)
def test_a_cost_that_cannot_be_kept_is_null_and_refused_while_its_tokens_count(
    cost: Any, reason: str, payload: Payload, gateway: Gateway
) -> None:
    gateway.file("2026-11-21/a.jsonl", [payload(response_cost=cost)])
    night = gateway.night()
    (row,) = night.rows.to_pylist()
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (None, "unknown")
    assert row["input_total_tokens"] == 1000
    assert [reject.reason for reject in night.rejects] == [reason]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("999999.999999999999", "999999.999999999999"),
        ("0.0000000000005", "0E-12"),  # half goes to even
        ("0.0000000000015", "0.000000000002"),
        ("-0.25", "-0.25"),
    ],
)
def test_a_cost_is_rounded_half_to_even_at_the_twelfth_decimal(
    written: str, kept: str, payload: Payload, gateway: Gateway
) -> None:
    gateway.file("2026-11-21/a.jsonl", [payload(response_cost=written)])
    assert gateway.rows()[0]["source_reported_cost_usd"] == Decimal(kept)


def test_a_team_is_taken_from_the_field_that_the_settings_name(payload: Payload, gateway: Gateway) -> None:
    row = payload()
    row["metadata"]["user_api_key_auth_metadata"] = {"cost_center": "CC-200", "note": "private"}
    gateway.file("2026-11-21/a.jsonl", [row])
    field = "user_api_key_auth_metadata.cost_center"
    assert gateway.rows(team_id_field=field)[0]["gateway_team_id"] == "CC-200"
    assert b"private" not in gateway.landed(team_id_field=field)[0].body.open().__enter__().read()


@pytest.mark.parametrize(
    ("model", "provider", "billed"),
    [
        ("openai/gpt-5", "openai", "gpt-5"),
        ("gpt-5", "openai", "gpt-5"),  # as older versions wrote it
        ("openrouter/anthropic/claude-sonnet-4-5", "openrouter", "anthropic/claude-sonnet-4-5"),
        ("meta-llama/Llama-3.1-8B", "hosted_vllm", "meta-llama/Llama-3.1-8B"),
        ("vertex_ai/gemini-2.5-pro", "vertex_ai-language-models", "gemini-2.5-pro"),
    ],
)
def test_only_the_providers_own_prefix_is_removed_from_a_model(
    model: str, provider: str, billed: str, payload: Payload, gateway: Gateway
) -> None:
    gateway.file("2026-11-21/a.jsonl", [payload(model=model, custom_llm_provider=provider)])
    assert gateway.rows()[0]["billed_model"] == billed


def test_chunks_are_bounded_and_duplicates_are_known_across_them(
    payload: Payload, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse_module, "ROWS_PER_CHUNK", 3)
    gateway.file("2026-11-21/a.jsonl", [payload(id=f"r{n % 8}") for n in range(16)])
    night = gateway.night()
    assert (night.rows.num_rows, night.duplicate_count) == (8, 8)


def test_a_row_of_the_other_format_than_the_settings_ask_for_is_refused(payload: Payload, gateway: Gateway) -> None:
    gateway.file("2026-11-21/x.jsonl", [payload()])
    assert len(gateway.rows(format="payload")) == 1
    assert [reject.reason for reject in gateway.night(format="spend_logs").rejects] == ["other_format"]
