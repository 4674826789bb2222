"""A line of the access log becomes the attempt worked out by hand."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.envoy import SOURCE
from connectors.envoy.keys import TOKENS
from models.identity import identity_rows
from tests.connectors.stored_log import KEY, LogFolder, places, planted

CAPTURED = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/envoy_real/access.jsonl"
OTHER_TOKENS = frozenset(f"gen_ai.usage.{name}" for name in TOKENS if name != "input_tokens")
BUCKETS = ("input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_text_tokens", "output_reasoning_tokens")  # fmt: skip


def line(**over: Any) -> dict[str, Any]:
    """1200 in, of them 1024 cached; 300 out, of them 128 reasoning; 1.526 s from the first instant of the day."""
    return {
        ":authority": "api.openai.com",
        "duration": 1526,
        "gen_ai.provider.name": "default/openai/route/ai/rule/0/ref/0",
        "gen_ai.request.model": "fast",
        "gen_ai.request.model_override": "gpt-5",
        "gen_ai.response.model": "gpt-5-2025-08-07",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.cached_input_tokens": 1024,
        "gen_ai.usage.cache_creation_input_tokens": None,
        "gen_ai.usage.output_tokens": 300,
        "gen_ai.usage.reasoning_tokens": 128,
        "gen_ai.usage.total_tokens": 1500,
        "method": "POST",
        "request_attempt_count": 1,
        "response_code": 200,
        "response_flags": "-",
        "start_time": "2026-11-21T00:00:00.000Z",
        "team": "search",
        "ticket": "T-1",
        "user-agent": "an agent",
        "x-envoy-origin-path": "/v1/chat/completions?key=a-key",
        "x-forwarded-for": "203.0.113.77",
        "x-request-id": "r1",
        **over,
    }


def test_a_line_becomes_the_attempt_worked_out_by_hand(log: LogFolder) -> None:
    log.file("a.jsonl", [line()])
    (row,) = log.rows()
    assert tuple(row[name] for name in BUCKETS) == (176, 1024, 0, 172, 128)
    assert (row["input_total_tokens"], row["output_total_tokens"], row["input_semantics"]) == (1200, 300, "inclusive")
    assert (row["started_at"], row["ended_at"]) == (datetime(2026, 11, 21), datetime(2026, 11, 21, 0, 0, 1, 526000))
    assert (row["requested_model"], row["billed_model"]) == ("fast", "gpt-5-2025-08-07")
    assert (row["provider"], row["deployment_id"], row["call_type"]) == ("openai", "default/openai", "chat/completions")
    assert (row["gateway_team_id"], row["outcome_ids"], row["status"]) == ("search", '{"ticket":"T-1"}', "success")
    assert (row["api_base"], row["key_id"], row["user_hash"], row["x_extra"]) == (None, None, None, None)
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (None, "unknown")


@pytest.mark.parametrize(
    ("over", "model"),
    [
        ({"gen_ai.response.model": None}, "gpt-5"),
        ({"gen_ai.response.model": None, "gen_ai.request.model_override": None}, "fast"),
        ({"gen_ai.response.model": "openai/gpt-5"}, "gpt-5"),
    ],
)
def test_the_model_is_the_one_that_answered_then_the_routes_then_the_callers(
    over: dict[str, Any], model: str, log: LogFolder
) -> None:
    log.file("a.jsonl", [line(**over)])
    assert log.rows()[0]["billed_model"] == model


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("default/openai/route/ai/rule/0/ref/0", ("openai", "default/openai")),
        ("prod/gpt-eu/route/ai/rule/1/ref/2", ("azure", "prod/gpt-eu")),
        ("prod/claude/route/x/rule/0/ref/0", ("aws-bedrock", "prod/claude")),
        ("default/claude", ("aws-bedrock", "default/claude")),
        (None, (None, None)),
    ],
)
def test_the_provider_is_the_backends_name_or_what_the_settings_say_of_it(
    path: str | None, expected: tuple[str | None, str | None], log: LogFolder
) -> None:
    log.file("a.jsonl", [line(**{"gen_ai.provider.name": path})])
    (row,) = log.rows(providers={"prod/gpt-eu": "azure", "gpt-eu": "openai", "claude": "aws-bedrock"})
    assert (row["provider"], row["deployment_id"]) == expected


def test_backends_named_after_providers_are_those_of_the_price_book() -> None:
    named = [("openai", "gpt-5"), ("aws-bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"), ("azure", "gpt-4o")]
    assert identity_rows(named, {})["provider_id"].to_list() == ["aws", "azure", "openai"]


def test_the_keys_that_older_releases_recommended_are_named_in_the_settings(log: LogFolder) -> None:
    older = {
        "requested_model": "genai_model_name",
        "model_override": "genai_model_name_override",
        "backend": "genai_backend_name",
        "input_tokens": "genai_tokens_input",
        "output_tokens": "genai_tokens_output",
        "total_tokens": "genai_tokens_total",
    }
    said = ("gpt-4o-mini", None, "default/tars/route/aigw-run/rule/0/ref/0", 15, 7, 22)
    kept = {name: value for name, value in line().items() if not name.startswith("gen_ai.")}
    log.file("a.jsonl", [{**kept, **dict(zip(older.values(), said, strict=True))}])
    (row,) = log.rows(keys=older)
    assert (row["provider"], row["billed_model"]) == ("tars", "gpt-4o-mini")
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (15, 7)


@pytest.mark.parametrize(
    ("said", "is_stream"),
    [
        ({}, None),
        ({"response_type": "text/event-stream"}, True),
        ({"response_type": "application/json; charset=utf-8"}, False),
        ({"x-envoy-origin-path": "/model/m/converse-stream"}, True),
    ],
)
def test_a_stream_is_told_by_its_content_type_or_its_operation(
    said: dict[str, Any], is_stream: bool | None, log: LogFolder
) -> None:
    log.file("a.log", [line(**said)])
    assert log.rows(keys={"content_type": "response_type"})[0]["is_stream"] is is_stream


def test_an_embedding_has_no_output(log: LogFolder) -> None:
    given = line(**{"x-envoy-origin-path": "/v1/embeddings", "gen_ai.usage.input_tokens": 8})
    log.file("a.log", [{name: value for name, value in given.items() if name not in OTHER_TOKENS}])
    (found,) = log.rows()
    assert (found["call_type"], found["input_total_tokens"], found["output_total_tokens"]) == ("embeddings", 8, 0)


def test_cache_writes_are_inside_unless_the_total_says_otherwise(log: LogFolder) -> None:
    inside = line(**{"gen_ai.usage.cached_input_tokens": 700, "gen_ai.usage.cache_creation_input_tokens": 400})
    outside = {**inside, "x-request-id": "r2", "gen_ai.usage.total_tokens": 1900}
    log.file("a.jsonl", [inside, outside])
    found = {row["request_id"]: tuple(row[name] for name in BUCKETS) for row in log.rows()}
    assert found == {"r1": (100, 700, 400, 172, 128), "r2": (500, 700, 400, 172, 128)}


def test_cached_input_beyond_the_input_is_refused(log: LogFolder) -> None:
    log.file("a.jsonl", [line(**{"gen_ai.usage.cached_input_tokens": 1201}), line(**{"x-request-id": "good"})])
    night = log.night()
    assert night.rows["request_id"].to_pylist() == ["good"]
    assert [reject.reason for reject in night.rejects] == ["parts_exceed_total"]


@pytest.mark.parametrize(
    ("code", "flags", "status", "extra"),
    [
        (200, "-", "success", None),
        (200, "DC", "success", '{"response_flags":"DC"}'),
        (429, "-", "failure", None),
        (0, "DC", "failure", '{"response_flags":"DC"}'),
        (503, "UF,URX", "failure", '{"response_flags":"UF,URX"}'),
    ],
)
def test_the_outcome_is_the_status_and_the_flags_are_kept(
    code: int, flags: str, status: str, extra: str | None, log: LogFolder
) -> None:
    log.file("a.jsonl", [line(response_code=code, response_flags=flags)])
    (row,) = log.rows()
    assert (row["status"], row["x_extra"], row["is_cache_hit"]) == (status, extra, False)


def test_an_answer_of_envoys_cache_filter_is_a_cache_hit(log: LogFolder) -> None:
    log.file("a.jsonl", [line(response_flags="RFCF")])
    assert log.rows()[0]["is_cache_hit"] is True


def test_requests_for_no_model_are_no_attempts_and_calls_without_any_figure_are(log: LogFolder) -> None:
    untold = {name: None for name in line() if name.startswith("gen_ai.")}
    served = {"/healthz": 0, "/mcp": 0, "/v1/models": 0, "/": 0, "/anthropic/v1/messages": 1, None: 1}
    log.file(
        "a.jsonl",
        [line(**untold, **{"x-envoy-origin-path": path, "x-request-id": f"{path}"}) for path in served],
    )
    night = log.night()
    assert sorted(night.rows["request_id"].to_pylist()) == sorted(
        str(path) for path, is_one in served.items() if is_one
    )
    assert (night.rejects, night.duplicate_count) == ((), 0)
    assert set(night.rows["usage_provenance"].to_pylist()) == {"missing"}


def test_a_cost_that_the_deployment_computes_is_evidence_in_its_unit(log: LogFolder) -> None:
    log.file("a.jsonl", [line(micro_usd=4310), line(micro_usd=None, **{"x-request-id": "r2"})])
    rows = log.rows(keys={"cost": "micro_usd"})
    assert {row["request_id"]: row["source_reported_cost_usd"] for row in rows} == {
        "r1": Decimal("0.00431"),
        "r2": None,
    }
    assert {row["source_cost_basis"] for row in rows} == {"unknown"}
    log.file("a.jsonl", [line(usd="0.00431")])
    (row,) = log.rows(keys={"cost": "usd"}, cost_unit="1")
    assert row["source_reported_cost_usd"] == Decimal("0.00431")


def test_the_same_line_twice_counts_once_and_an_id_of_the_callers_own_may_repeat(log: LogFolder) -> None:
    log.file("a.jsonl", [line(), line(), line(start_time="2026-11-21T00:00:01.000Z")])
    night = log.night()
    assert (night.rows.num_rows, night.duplicate_count) == (2, 1)
    assert ["another attempt of the day has too" in notice for notice in night.notices] == [False, True]
    assert night.notices[0].startswith("attempts that came again were counted once, such as ")


def test_regions_are_those_of_the_host_that_the_settings_point_to(log: LogFolder) -> None:
    log.file("a.jsonl", [line(**{":authority": "bedrock-runtime.eu-central-1.amazonaws.com:443"})])
    (row,) = log.rows(keys={"address": ":authority"})
    assert (row["api_base"], row["region_id"]) == ("bedrock-runtime.eu-central-1.amazonaws.com:443", "eu-central-1")


@pytest.mark.parametrize("keys", [{"input_token": "x"}, {"backend": " "}])
def test_a_name_that_is_none_or_a_key_that_is_empty_is_refused_in_the_settings(keys: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"did you mean 'input_tokens'|the key is empty"):
        SOURCE.settings_model.model_validate(
            {"name": "log", "kind": "envoy_ai_gateway", "location": "/", "hash_key": KEY, "keys": keys}
        )


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, log: LogFolder) -> None:
    texts = {
        "x-request-id", "response_flags", "gen_ai.request.model", "gen_ai.request.model_override",
        "gen_ai.response.model", "gen_ai.provider.name", "team", "ticket",
    }  # fmt: skip
    given = line(user="canary-5f3a", token="canary-5f3a", prompt="canary-5f3a")
    paths = [path for path in places(given) if not path or path[0] not in texts]
    rows = [planted(given, path, secret, name) for path in paths for name in ("text", "canary-5f3a")]
    log.file("a.jsonl", rows)
    landed = log.landed_bytes(keys={"user": "user", "key": "token", "address": ":authority"}, layout="*")
    assert landed.count(b"\n") >= len(rows) - 2  # a line without its start belongs to every window, or to none
    for word in (b"an agent", b"203.0.113.77", b"a-key"):
        assert word not in landed
    # an endpoint is landed as it is: callers do not choose it
    assert landed.replace(b'"address":"canary-5f3a"', b"").count(b"canary-5f3a") == 0


def test_what_a_real_envoy_wrote_before_is_read(log: LogFolder) -> None:
    if not CAPTURED.is_file():
        pytest.skip("the captured log is not beside this checkout")
    log.raw("a.jsonl", CAPTURED.read_bytes())
    rows = sorted(log.rows(), key=lambda row: row["started_at"])
    assert [row["status"] for row in rows] == ["success", "failure", "success"]
    assert [tuple(row[name] for name in BUCKETS) for row in rows] == [(176, 1024, 0, 300, 0), (None,) * 5, (None,) * 5]
    assert [row["x_extra"] for row in rows] == [None, '{"attempts":2,"response_flags":"URX"}', None]
    assert [row["gateway_team_id"] for row in rows] == ["search", "search", None]
