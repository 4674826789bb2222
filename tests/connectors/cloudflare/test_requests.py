"""A row of the gateway's log becomes the attempt worked out by hand."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.logs.values import keyed_hash
from tests.connectors.cloudflare.api import row
from tests.connectors.cloudflare.conftest import Nights, Served
from tests.connectors.stored_log import KEY, places, planted

WRITTEN = (
    Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/written/cloudflare_ai_gateway_logs.json"
)
BUCKETS = ("input_uncached_tokens", "cache_read_tokens", "output_text_tokens", "input_total_tokens")
COST = ("source_reported_cost_usd", "source_cost_basis", "avoided_cost_usd", "is_cache_hit")


def metadata(**said: Any) -> str:
    return json.dumps({"team": "search", "user": "alice@corp.test", **said})


def test_a_row_becomes_the_attempt_worked_out_by_hand(nights: Nights, served: Served) -> None:
    served([row(0, metadata=metadata(feature="answer", ticket="T-1", environment="production"))])
    (found,) = nights.rows()
    assert tuple(found[name] for name in BUCKETS) == (1200, 0, 300, 1200)
    assert (found["started_at"], found["latency_seconds"]) == (datetime(2026, 11, 21, 1, 0, 0, 250000), 1.001)
    assert (found["request_id"], found["dedup_key"], found["status"]) == ("01J00000", "01J00000", "success")
    assert (found["provider"], found["billed_model"], found["call_type"]) == ("openai", "gpt-4o", "chat/completions")
    assert (found["gateway_team_id"], found["user_hash"]) == ("search", keyed_hash(KEY)("alice@corp.test"))
    assert (found["feature"], found["environment"], found["outcome_ids"]) == (
        "answer",
        "production",
        '{"ticket":"T-1"}',
    )
    assert tuple(found[name] for name in COST) == (Decimal("0.006"), "list", None, False)
    assert (found["gateway"], found["x_extra"]) == ("cloudflare_ai_gateway", '{"model_type":"llm"}')


def test_a_cached_row_is_a_hit_that_cost_nothing(nights: Nights, served: Served) -> None:
    served([row(0, cached=True, cost=0, duration=4)])
    (found,) = nights.rows()
    assert tuple(found[name] for name in COST) == (Decimal(0), "list", None, True)
    assert found["input_total_tokens"] == 1200


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"cost": None}, (None, "unknown")),
        ({"cost": 0}, (Decimal(0), "unknown")),
        ({"custom_cost": True, "cost": 0.0031}, (Decimal("0.0031"), "after_discount")),
        ({"custom_cost": None}, (Decimal("0.006"), "list")),
    ],
)
def test_the_flag_of_the_callers_own_price_is_the_basis_and_tokens_for_nothing_have_none(
    over: dict[str, Any], expected: tuple[Any, str], nights: Nights, served: Served
) -> None:
    served([row(0, **over)])
    (found,) = nights.rows()
    assert (found["source_reported_cost_usd"], found["source_cost_basis"]) == expected


def test_a_fallback_is_an_attempt_of_its_own_that_says_which(nights: Nights, served: Served) -> None:
    failed = row(0, success=False, status_code=503, tokens_in=None, tokens_out=None, cost=None)
    served([failed, row(1, step=1, provider="azure-openai")])
    rows = sorted(nights.rows(), key=lambda found: found["request_id"])
    assert [found["status"] for found in rows] == ["failure", "success"]
    assert [found["x_extra"] for found in rows] == [
        '{"model_type":"llm","status_code":503}',
        '{"model_type":"llm","step":1}',
    ]
    assert [(found["usage_provenance"], found["billed_model"]) for found in rows] == [
        ("missing", "gpt-4o"),
        ("provider", "gpt-4o"),
    ]


def test_cached_input_that_a_row_breaks_out_is_a_class_of_its_own(nights: Nights, served: Served) -> None:
    served([row(0, usage_metadata={"input_cached_tokens": 1024})])
    assert tuple(nights.rows()[0][name] for name in BUCKETS) == (176, 1024, 300, 1200)


@pytest.mark.parametrize("provider", ["anthropic", "aws-bedrock"])
def test_cached_input_of_a_provider_that_counts_it_outside_is_no_part_of_the_input(
    provider: str, nights: Nights, served: Served
) -> None:
    served([row(0, provider=provider, tokens_in=3000, usage_metadata={"input_cached_tokens": 2000})])
    assert tuple(nights.rows()[0][name] for name in BUCKETS) == (3000, 2000, 300, 5000)


@pytest.mark.parametrize("said", [None, "", "null", "{}", "no json", '["a list"]'])
def test_metadata_that_says_nothing_leaves_the_team_unknown(said: Any, nights: Nights, served: Served) -> None:
    served([row(0, metadata=said)])
    night = nights.night()
    assert night.rows["gateway_team_id"].to_pylist() == [None]
    assert [reject.reason for reject in night.rejects] == ["unreadable_value"] * (said in ("no json", '["a list"]'))


@pytest.mark.parametrize(
    "said",
    [
        {"path": "v1/embeddings", "model": "text-embedding-3-small"},
        {"path": "run/@cf/baai/bge-m3", "model": "@cf/baai/bge-m3", "model_type": "Text Embeddings"},
        {"path": "v1/moderations", "model": "omni-moderation-latest"},
    ],
)
def test_a_call_that_has_no_output_is_whole_without_it(said: dict[str, Any], nights: Nights, served: Served) -> None:
    served([row(0, tokens_in=8, tokens_out=None, usage_metadata=None, **said)])
    (found,) = nights.rows()
    assert (found["input_total_tokens"], found["output_total_tokens"]) == (8, 0)


@pytest.mark.parametrize(
    ("said", "is_stream"),
    [
        ({}, None),
        ({"response_content_type": "text/event-stream; charset=utf-8"}, True),
        ({"response_content_type": "application/json"}, False),
        ({"response_content_type": "audio/mpeg"}, None),
        ({"path": "v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent"}, True),
    ],
)
def test_a_stream_is_told_by_its_content_type_or_its_operation(
    said: dict[str, Any], is_stream: bool | None, nights: Nights, served: Served
) -> None:
    given = row(0)
    given.pop("response_content_type", None)
    served([{**given, **said}])
    assert nights.rows()[0]["is_stream"] is is_stream


def test_half_a_usage_is_refused_with_its_cost(nights: Nights, served: Served) -> None:
    served([row(0, tokens_out=None)])
    (reject,) = nights.night().rejects
    assert (reject.reason, reject.cost) == ("half_usage", Decimal("0.006"))


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(
    secret: Any, nights: Nights, served: Served
) -> None:
    texts = {("id",), ("provider",), ("model",), ("model_type",), ("created_at",)}
    given = row(0, usage_metadata={"input_cached_tokens": 0}, request="a prompt", response="an answer")
    paths = [path for path in places(given) if path not in texts]
    rows = [planted(given, path, secret, name) for path in paths for name in ("text", "canary-5f3a")]
    said = [row(0, metadata=metadata(note="canary-5f3a", user="canary-5f3a"))]
    numbered = [{**found, "id": f"r{number}"} for number, found in enumerate([*rows, *said])]
    served(numbered)
    landed = nights.landed_bytes()
    assert landed.count(b"\n") == len(numbered)
    for word in (b"canary-5f3a", b"a prompt", b"an answer", b"alice", b"private"):
        assert word not in landed


def test_documented_rows_are_read(nights: Nights, served: Served) -> None:
    if not WRITTEN.is_file():
        pytest.skip("the documented answer is not beside this checkout")
    served(json.loads(WRITTEN.read_bytes())["result"])
    rows = sorted(nights.rows(), key=lambda found: found["started_at"])
    assert [found["is_cache_hit"] for found in rows] == [False, True]
    assert [found["source_reported_cost_usd"] for found in rows] == [Decimal("0.006"), Decimal(0)]
    assert [found["gateway_team_id"] for found in rows] == ["search", None]
