"""An entry of Kong's log becomes the attempts worked out by hand."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.logs.values import keyed_hash
from tests.connectors.stored_log import KEY, LogFolder, places, planted

Made = Callable[..., dict[str, Any]]
WRITTEN = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/written/kong_ai_file_log.jsonl"
BUCKETS = ("input_uncached_tokens", "cache_read_tokens", "output_text_tokens", "output_reasoning_tokens")
COST = ("source_reported_cost_usd", "source_cost_basis", "avoided_cost_usd", "is_cache_hit")


def test_an_entry_becomes_the_attempt_worked_out_by_hand(entry: Made, log: LogFolder) -> None:
    log.file("a.json", [entry()])
    (row,) = log.rows()
    assert tuple(row[name] for name in BUCKETS) == (176, 1024, 172, 128)
    assert (row["input_total_tokens"], row["output_total_tokens"], row["usage_provenance"]) == (1200, 300, "provider")
    assert row["started_at"] == datetime(2026, 11, 21, 1, 38, 40, 440000)
    assert (row["ended_at"], row["latency_seconds"]) == (datetime(2026, 11, 21, 1, 38, 41, 441000), 1.001)
    assert (row["request_id"], row["attempt_group_id"], row["status"]) == ("9ec9264a", "9ec9264a", "success")
    assert (row["provider"], row["requested_model"], row["billed_model"]) == ("openai", "gpt-5", "gpt-5-2025-08-07")
    assert (row["call_type"], row["is_stream"], row["gateway"]) == ("chat/completions", False, "kong_ai")
    assert (row["gateway_team_id"], row["key_alias"]) == ("search-svc", "search-svc")
    assert (row["key_id"], row["user_hash"]) == (keyed_hash(KEY)("k1"), None)
    assert (row["feature"], row["environment"], row["outcome_ids"]) == ("answer", None, '{"x-ticket":"T-1"}')
    assert tuple(row[name] for name in COST) == (Decimal("0.006"), "list", None, False)
    assert row["x_extra"] is None


@pytest.mark.parametrize(
    ("over", "team", "user", "key"),
    [
        ({"team_id_field": "consumer.custom_id"}, "CC-100", None, "k1"),
        ({"team_id_field": "request.headers.x-team-id"}, "search", None, "k1"),
        ({"team_id_field": "service.name", "key_id_field": "consumer.id"}, "llm", None, "c1"),
        ({"user_field": "request.headers.x-user-id"}, "search-svc", "alice@corp.test", "k1"),
    ],
)
def test_the_settings_say_what_names_the_team_the_key_and_the_person(
    over: dict[str, Any], team: str, user: str | None, key: str, entry: Made, log: LogFolder
) -> None:
    log.file("a.json", [entry()])
    (row,) = log.rows(**over)
    hashed = keyed_hash(KEY)
    assert (row["gateway_team_id"], row["key_id"]) == (team, hashed(key))
    assert row["user_hash"] == (None if user is None else hashed(user))


def test_the_words_of_an_answer_whose_provider_counted_nothing_are_an_estimate(
    entry: Made, call: Made, log: LogFolder
) -> None:
    words = {"prompt_tokens": 0, "completion_tokens": 42, "total_tokens": 42, "cost": 0.00042}
    counted = call(**words, prompt_tokens_details=None, completion_tokens_details=None)
    log.file("a.json", [entry(ai={"proxy": counted})])
    (row,) = log.rows()
    assert (row["usage_provenance"], row["output_text_tokens"], row["output_total_tokens"]) == ("word_estimate", 42, 42)
    assert (row["input_uncached_tokens"], row["input_total_tokens"]) == (None, None)
    assert tuple(row[name] for name in COST) == (Decimal("0.00042"), "estimate_word_count", None, False)


@pytest.mark.parametrize("status", ["Hit", "hit"])
def test_a_hit_of_the_semantic_cache_paid_nobody_and_avoided_what_kong_reckons(
    status: str, entry: Made, call: Made, log: LogFolder
) -> None:
    hit = {**call(), "cache": {"cache_status": status, "fetch_latency": 12, "embeddings_model": "ada"}}
    log.file("a.json", [entry(ai={"proxy": hit})])
    (row,) = log.rows()
    assert tuple(row[name] for name in COST) == (None, "unknown", Decimal("0.006"), True)


@pytest.mark.parametrize("status", ["Miss", "Bypass", "Refresh"])
def test_whatever_else_the_semantic_cache_says_is_paid_for(
    status: str, entry: Made, call: Made, log: LogFolder
) -> None:
    log.file("a.json", [entry(ai={"proxy": {**call(), "cache": {"cache_status": status}}})])
    assert tuple(log.rows()[0][name] for name in COST) == (Decimal("0.006"), "list", None, False)


def test_a_price_that_nobody_configured_is_unknown_and_not_zero(entry: Made, call: Made, log: LogFolder) -> None:
    log.file("a.json", [entry(ai={"proxy": call(cost=0)})])
    assert log.rows()[0]["source_cost_basis"] == "unknown"


@pytest.mark.parametrize("level", ["proxy", "ai-proxy", "ai-proxy-advanced", None])
def test_the_level_of_todays_and_of_older_versions_is_the_same_call(
    level: str | None, entry: Made, call: Made, log: LogFolder
) -> None:
    log.file("a.json", [entry(ai=call() if level is None else {level: call()})])
    (row,) = log.rows()
    assert (row["request_id"], row["input_total_tokens"], row["x_extra"]) == ("9ec9264a", 1200, None)


def test_calls_of_plugins_that_rewrite_a_request_are_attempts_of_their_own(
    entry: Made, call: Made, log: LogFolder
) -> None:
    rewritten = call(prompt_tokens=90, completion_tokens=10, total_tokens=100, prompt_tokens_details=None, completion_tokens_details=None, cost=0.0001)  # fmt: skip
    others = {"sanitizer": {"duration": 65}, "mcp": {"rpc": []}, "payload": {"request": "a prompt"}}
    log.file("a.json", [entry(ai={"proxy": call(), "ai-request-transformer": rewritten, **others})])
    rows = sorted(log.rows(), key=lambda row: row["request_id"])
    assert [(row["request_id"], row["attempt_group_id"], row["input_total_tokens"]) for row in rows] == [
        ("9ec9264a", "9ec9264a", 1200),
        ("9ec9264a:ai-request-transformer", "9ec9264a", 90),
    ]
    assert [row["x_extra"] for row in rows] == [None, '{"plugin":"ai-request-transformer"}']


@pytest.mark.parametrize("level", ["proxy", None])
def test_an_answer_that_was_decoded_on_its_way_is_no_call_beside_its_own(
    level: str | None, entry: Made, call: Made, log: LogFolder
) -> None:
    answer = {"model": "gpt-5", "usage": {"prompt_tokens": 1200, "completion_tokens": 300}}
    decoded = {**call(), "payload": {"request": {"meta": {}}, "response": answer, "usage": answer["usage"]}}
    log.file("a.json", [entry(ai=decoded if level is None else {level: decoded})])
    (row,) = log.rows()
    assert (row["request_id"], row["input_total_tokens"]) == ("9ec9264a", 1200)


def test_requests_that_no_ai_plugin_served_are_no_attempts(entry: Made, log: LogFolder) -> None:
    plain = {name: value for name, value in entry().items() if name != "ai"}
    log.file("a.json", [plain, entry(ai={"mcp": {"rpc": []}}), entry(ai=None), entry()])
    assert log.night().rows.num_rows == 1


def test_names_that_are_unspecified_are_none(entry: Made, call: Made, log: LogFolder) -> None:
    unnamed = call()
    unnamed["meta"] |= {"provider_name": "UNSPECIFIED", "request_model": "UNSPECIFIED"}
    log.file("a.json", [entry(ai={"proxy": unnamed})])
    (row,) = log.rows()
    assert (row["provider"], row["requested_model"], row["billed_model"]) == (None, None, "gpt-5-2025-08-07")


def test_what_failed_used_nothing_that_is_known(entry: Made, call: Made, log: LogFolder) -> None:
    nothing = call(prompt_tokens=0, completion_tokens=0, total_tokens=0, prompt_tokens_details=None, completion_tokens_details=None, cost=0)  # fmt: skip
    tries = [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]
    log.file("a.json", [entry(ai={"proxy": nothing}, response={"status": 502}, tries=tries)])
    (row,) = log.rows()
    assert (row["status"], row["usage_provenance"], row["input_total_tokens"]) == ("failure", "missing", None)
    assert (row["billed_model"], row["x_extra"]) == ("gpt-5-2025-08-07", '{"attempts":2}')


def test_counts_of_pictures_and_sound_are_read_by_their_own_names(entry: Made, log: LogFolder) -> None:
    spoken = {
        "input_tokens": 50,
        "output_tokens": 30,
        "total_tokens": 80,
        "output_tokens_details": {"audio_tokens": 20},
    }
    log.file("a.json", [entry(ai={"proxy": {"meta": {"provider_name": "openai"}, "usage": spoken}})])
    (row,) = log.rows()
    assert (row["input_total_tokens"], row["output_text_tokens"], row["output_audio_tokens"]) == (50, 10, 20)


def test_the_first_versions_call_their_counts_by_other_names(entry: Made, log: LogFolder) -> None:
    """Kong's own example of an entry of those versions: the README says which they are."""
    meta = {"request_model": "command", "provider_name": "cohere", "response_model": "command", "llm_latency": 2670}
    usage = {"prompt_token": 28, "total_tokens": 48, "completion_token": 20, "cost": 0.0038, "time_per_token": 133}
    log.file("a.json", [entry(ai={"ai-proxy": {"meta": meta, "usage": usage}})])
    (row,) = log.rows()
    assert (row["input_uncached_tokens"], row["output_text_tokens"], row["usage_provenance"]) == (28, 20, "provider")
    assert (row["billed_model"], row["source_reported_cost_usd"]) == ("command", Decimal("0.0038"))


def test_the_embedding_and_the_judge_of_a_call_are_attempts_beside_it(entry: Made, log: LogFolder) -> None:
    """Kong's own example of an entry of 3.11, a hit of its cache, with a judge of 3.12 beside it."""
    counted = {"prompt_tokens": 14, "completion_tokens": 21, "total_tokens": 35, "cost": 0}
    proxied = {
        "usage": {**counted, "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0}},
        "meta": {"request_model": "command", "provider_name": "cohere", "response_model": "command"},
        "cache": {"cache_status": "Hit", "embeddings_provider": "openai", "embeddings_model": "text-embedding-ada-002"},
        "rag-inject": {
            "embeddings_tokens": 62,
            "embeddings_provider": "openai",
            "embeddings_model": "text-embedding-ada-002",
        },
        "ai-llm-as-judge": {
            "meta": {"request_model": "command", "response_model": "gpt-4o", "provider_name": "openai"},
            "usage": {"llm_accuracy": 3},
        },
    }
    log.file("a.json", [entry(ai={"proxy": proxied, "compressor": {"original_token_count": 845}})])
    call, judge, embedding = sorted(log.rows(), key=lambda row: row["request_id"])
    assert {row["attempt_group_id"] for row in (call, judge, embedding)} == {"9ec9264a"}
    assert (call["input_uncached_tokens"], call["output_text_tokens"], call["is_cache_hit"]) == (14, 21, True)
    assert (embedding["request_id"], embedding["call_type"]) == ("9ec9264a:rag-inject", "embeddings")
    assert (embedding["input_uncached_tokens"], embedding["output_total_tokens"]) == (62, 0)
    assert (embedding["billed_model"], embedding["is_cache_hit"]) == ("text-embedding-ada-002", False)
    assert (embedding["latency_seconds"], embedding["source_reported_cost_usd"]) == (None, None)
    assert (judge["request_id"], judge["billed_model"]) == ("9ec9264a:ai-llm-as-judge", "gpt-4o")
    assert (judge["usage_provenance"], judge["input_total_tokens"]) == ("missing", None)


def test_audio_of_an_input_is_read_by_the_name_that_kong_has_for_it(entry: Made, log: LogFolder) -> None:
    details = {"text_tokens": 10, "audio_tokens_count": 40}
    spoken = {"input_tokens": 50, "input_tokens_details": details, "output_tokens": 30, "total_tokens": 80}
    log.file("a.json", [entry(ai={"proxy": {"meta": {"provider_name": "openai"}, "usage": spoken}})])
    (row,) = log.rows()
    assert (row["input_uncached_tokens"], row["input_audio_tokens"], row["output_text_tokens"]) == (10, 40, 30)


def test_a_total_that_contradicts_its_parts_is_refused_with_its_cost(entry: Made, call: Made, log: LogFolder) -> None:
    log.file("a.json", [entry(ai={"proxy": call(total_tokens=1600)})])
    (reject,) = log.night().rejects
    assert (reject.reason, reject.cost) == ("total_does_not_add_up", Decimal("0.006"))


def test_a_stream_is_one_and_an_entry_without_a_start_is_refused(entry: Made, call: Made, log: LogFolder) -> None:
    streamed = call()
    streamed["meta"]["request_mode"] = "stream"
    log.file("a.json", [entry(ai={"proxy": streamed}), entry(started_at=None)])
    night = log.night()
    assert night.rows["is_stream"].to_pylist() == [True]
    assert [reject.reason for reject in night.rejects] == ["unreadable_start"]


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(
    secret: Any, entry: Made, call: Made, log: LogFolder
) -> None:
    named = ("provider_name", "request_model", "response_model", "request_mode")
    texts = {
        ("request", "id"), ("consumer", "username"), ("request", "headers", "x-feature"),
        ("request", "headers", "x-ticket"), *(("ai", "proxy", "meta", name) for name in named),
        ("ai", "proxy", "cache", "cache_status"),
    }  # fmt: skip
    given = entry(ai={"proxy": {**call(), "cache": {"cache_status": "Miss"}}, "sanitizer": {"sanitized_items": []}})
    paths = [path for path in places(given) if path not in texts]
    rows = [planted(given, path, secret, name) for path in paths for name in ("text", "canary-5f3a")]
    log.file("a.json", rows)
    landed = log.landed_bytes(user_field="request.headers.x-user-id")
    assert landed.count(b"\n") == len(rows)
    for word in (b"canary-5f3a", b"a prompt", b"an answer", b"a-key", b"an agent", b"alice", b"203.0.113.77"):
        assert word not in landed


def test_a_documented_entry_is_read(log: LogFolder) -> None:
    if not WRITTEN.is_file():
        pytest.skip("the documented entry is not beside this checkout")
    log.raw("a.json", WRITTEN.read_bytes())
    (row,) = log.rows()
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (1200, 300)
    assert (row["billed_model"], row["source_reported_cost_usd"]) == ("gpt-4o-2024-08-06", Decimal("0.006"))
