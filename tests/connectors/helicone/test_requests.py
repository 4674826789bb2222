"""Requests become rows whose tokens and costs are computed by hand, and nothing else of them reaches disk."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.logs.values import keyed_hash
from tests.connectors.helicone.conftest import Reader
from tests.connectors.helicone.written import HASH_KEY, NOBODY, request
from tests.connectors.stored_log import LogFolder, places, planted

EXAMPLES = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway"
CANARY = "canary-5f3a"
BUCKETS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "input_audio_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
    "output_audio_tokens",
)
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "prompt_cache_read_tokens": 0, "total_tokens": 0}


def buckets(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in BUCKETS)


def test_a_request_is_a_row_with_its_tokens_cost_and_attribution(reader: Reader) -> None:
    row = reader.row(request(time_to_first_token=310))
    assert buckets(row) == (176, 1024, 0, 0, 300, 0, 0)
    assert (row["input_total_tokens"], row["output_total_tokens"], row["input_semantics"]) == (1200, 300, "exclusive")
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (Decimal("0.00472"), "list")
    assert (row["request_id"], row["gateway"], row["call_type"]) == ("req-1", "helicone", "chat/completions")
    assert (row["provider"], row["billed_model"]) == ("OPENAI", "gpt-4o-2024-08-06")
    assert row["api_base"] == "https://api.openai.com/v1/chat/completions"
    assert (row["gateway_team_id"], row["user_hash"]) == ("search", keyed_hash(HASH_KEY)("alice@corp.test"))
    assert json.loads(row["outcome_ids"]) == {"ticket": "T-1"}
    assert (str(row["started_at"]), row["latency_seconds"]) == ("2026-11-21 01:38:40.440000", 1.001)
    assert (row["status"], row["is_stream"], row["is_cache_hit"]) == ("success", True, False)
    assert json.loads(row["x_extra"]) == {"session_id": "s1", "response_status": 200}


@pytest.mark.parametrize(
    ("told", "over", "expected", "semantics"),
    [
        # an older Helicone filed what OpenAI said: cached input and reasoning inside
        ({"prompt_tokens": 1200, "total_tokens": 1500}, {"cached_input": "inside"}, (176, 1024, 0, 0, 300, 0, 0), "inclusive"),
        ({"prompt_tokens": 1200, "total_tokens": 1500}, {"cached_input": "unstated"}, (176, 1024, 0, 0, 300, 0, 0), "inclusive"),
        ({}, {"cached_input": "unstated"}, (176, 1024, 0, 0, 300, 0, 0), "exclusive"),
        ({"reasoning_tokens": 80}, {}, (176, 1024, 0, 0, 300, 80, 0), "exclusive"),
        ({"reasoning_tokens": 80, "total_tokens": 556}, {}, (176, 1024, 0, 0, 300, 80, 0), "exclusive"),
        ({"reasoning_tokens": 80}, {"reasoning": "inside"}, (176, 1024, 0, 0, 220, 80, 0), "exclusive"),
        ({"prompt_cache_write_tokens": 400, "prompt_audio_tokens": 76, "completion_audio_tokens": 20}, {}, (100, 1024, 400, 76, 280, 0, 20), "exclusive"),
        ({"total_tokens": None}, {}, (176, 1024, 0, 0, 300, 0, 0), "exclusive"),
    ],
)  # fmt: skip
def test_usage_is_exclusive_buckets_whichever_version_filed_it(
    told: dict[str, Any], over: dict[str, Any], expected: tuple[int, ...], semantics: str, reader: Reader
) -> None:
    row = reader.row(request(**told), **over)
    assert buckets(row) == expected
    assert row["input_semantics"] == semantics


@pytest.mark.parametrize(
    ("told", "over", "reason"),
    [
        ({"total_tokens": 1500}, {}, "total_does_not_add_up"),
        ({}, {"cached_input": "inside"}, "parts_exceed_total"),  # 1,024 cached are not inside of 176
        ({"reasoning_tokens": 301}, {"reasoning": "inside"}, "parts_exceed_total"),
        ({"response_status": -2}, {}, "unknown_status"),
        ({"prompt_tokens": "many"}, {}, "unreadable_value"),
    ],
)
def test_what_contradicts_itself_or_the_settings_is_refused_with_its_cost(
    told: dict[str, Any], over: dict[str, Any], reason: str, reader: Reader
) -> None:
    night = reader.night([request(**told), request(2, prompt_cache_read_tokens=0)], **over)
    assert night.rows["request_id"].to_pylist() == ["req-2"]
    assert [reject.reason for reject in night.rejects] == [reason]
    if reason != "unreadable_value":
        assert night.rejects[0].cost == Decimal("0.00472")


@pytest.mark.parametrize(
    ("told", "cost", "basis"),
    [
        ({"cost": None, "costUSD": 0.0001234567891}, "0.000123456789", "list"),
        ({"cost": 4.72e-07}, "0.000000472", "list"),
        ({"cost": 0}, "0", "unknown"),
        ({"cost": None}, None, "unknown"),
    ],
)
def test_the_api_s_cost_is_in_dollars(told: dict[str, Any], cost: str | None, basis: str, reader: Reader) -> None:
    row = reader.row(request(**told))
    assert row["source_reported_cost_usd"] == (None if cost is None else Decimal(cost))
    assert row["source_cost_basis"] == basis


def test_an_answer_from_the_cache_saved_what_its_original_cost(reader: Reader) -> None:
    hit = request(2, cache_reference_id="req-1", cache_enabled=True, cost=0, **NOTHING)
    stranger = request(3, cache_reference_id="of-last-week", cost=0, **NOTHING)
    night = reader.night([request(1), hit, stranger])
    rows = {row["request_id"]: row for row in night.rows.to_pylist()}
    assert {name: (row["is_cache_hit"], row["avoided_cost_usd"]) for name, row in rows.items()} == {
        "req-1": (False, None),
        "req-2": (True, Decimal("0.00472")),
        "req-3": (True, None),
    }
    assert (rows["req-2"]["usage_provenance"], rows["req-2"]["source_reported_cost_usd"]) == ("missing", 0)
    assert json.loads(rows["req-2"]["x_extra"])["cache_reference_id"] == "req-1"


def test_a_failure_and_a_custom_provider_are_named_as_such(reader: Reader) -> None:
    row = reader.row(request(response_status=429, provider="CUSTOM", response_created_at=None, cost=0, **NOTHING))
    assert (row["status"], row["provider"], row["billed_model"], row["usage_provenance"]) == (
        "failure",
        None,
        "gpt-4o-2024-08-06",
        "missing",
    )
    assert row["latency_seconds"] == 1.001  # by its delay, where no answer has a time


@pytest.mark.parametrize("secret", [CANARY, {"a": CANARY}, [CANARY], [[{"b": [CANARY]}]], f"1{CANARY}"])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, reader: Reader) -> None:
    texts = {
        "request_id", "request_model", "response_model", "model", "model_override", "provider", "cache_reference_id",
        "team", "ticket", "Helicone-Session-Id", "request_path", "target_url",
    }  # fmt: skip
    paths = [path for path in places(request()) if not (set(path) & texts) and path != ("request_created_at",)]
    rows = list[dict[str, Any]]()
    for path in paths:
        for name in ("content", "notes", CANARY):
            rows.append(planted(request(len(rows)), path, secret, name))
    landed = b"".join(reader.pages(rows, hours_per_query=24))
    assert landed.count(b"\n") == len(rows) > 50
    for word in (CANARY, "a prompt", "an answer", "alice", "private", "bodies.test"):
        assert word.encode() not in landed


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the examples are not beside this checkout")
def test_the_written_example_of_an_older_version_is_read(reader: Reader) -> None:
    (told,) = json.loads((EXAMPLES / "written/helicone_query_clickhouse.json").read_bytes())["data"]
    row = reader.row(told, cached_input="inside")
    assert buckets(row) == (176, 1024, 0, 0, 300, 0, 0)
    assert row["source_reported_cost_usd"] == Decimal("0.00472")


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the captures are not beside this checkout")
def test_a_row_of_the_real_table_is_the_api_s_row(reader: Reader, table: LogFolder) -> None:
    content = (EXAMPLES / "helicone_chdb/request_response_rmt.jsonl").read_bytes()
    table.raw("2026-11-21/rows.jsonl.gz", content)
    (row,) = table.rows(cached_input="inside")
    assert buckets(row) == (176, 1024, 0, 0, 300, 0, 0)
    assert row["source_reported_cost_usd"] == Decimal("0.00472")  # 4,720,000 billionths
    assert (row["status"], row["latency_seconds"], row["provider"]) == ("success", 1.001, "OPENAI")
    assert (row["gateway_team_id"], row["organization_id"]) == ("search", "33333333-3333-3333-3333-333333333333")
    assert row["user_hash"] == keyed_hash(HASH_KEY)("alice")


def tabled(number: int, **over: Any) -> dict[str, Any]:
    return {
        "request_id": f"req-{number}",
        "request_created_at": "2026-11-21 01:38:40.440",
        "response_created_at": "2026-11-21 01:38:41.441",
        "updated_at": "2026-11-21 02:00:00.000",
        "status": 200,
        "latency": 1001,
        "model": "gpt-4o",
        "provider": "OPENAI",
        "user_id": "alice",
        "prompt_tokens": 176,
        "prompt_cache_read_tokens": 1024,
        "completion_tokens": 300,
        "cost": 4720001,
        "cache_reference_id": NOBODY,
        "properties": {"team": "search"},
        "request_body": CANARY,
        **over,
    }


def test_the_table_s_cost_is_in_billionths_and_its_latest_version_counts(table: LogFolder) -> None:
    early = tabled(1, cost=0, completion_tokens=0, updated_at="2026-11-21 01:38:42.000")
    table.file("2026-11-21/rows.jsonl", [tabled(1), early, tabled(1)])
    night = table.night()
    (row,) = night.rows.to_pylist()
    assert (row["source_reported_cost_usd"], row["output_total_tokens"]) == (Decimal("0.004720001"), 300)
    assert (night.duplicate_count, night.rejects) == (2, ())
    assert CANARY.encode() not in table.landed_bytes()


def test_a_cached_answer_in_the_table_has_the_tokens_of_its_original(table: LogFolder) -> None:
    repeated = {"ref_prompt_tokens": 176, "ref_prompt_cache_read_tokens": 1024, "ref_completion_tokens": 300}
    hit = tabled(2, cache_reference_id="req-1", cost=0, prompt_tokens=0, completion_tokens=0, **repeated)
    table.file("2026-11-21/rows.jsonl", [tabled(1), hit])
    rows = {row["request_id"]: row for row in table.rows()}
    assert buckets(rows["req-2"]) == (176, 1024, 0, 0, 300, 0, 0)
    assert (rows["req-2"]["is_cache_hit"], rows["req-2"]["avoided_cost_usd"]) == (True, Decimal("0.004720001"))


def test_rows_of_another_table_are_refused_and_leave_nothing(table: LogFolder) -> None:
    table.file("2026-11-21/rows.jsonl", [{"id": 1, "body": CANARY}])
    assert [reject.reason for reject in table.night().rejects] == ["unknown_format"]
    assert CANARY.encode() not in table.landed_bytes()
