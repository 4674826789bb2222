"""Observations become rows whose tokens and costs are computed by hand, and nothing else of them reaches disk."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import SourceError
from connectors.logs.values import keyed_hash
from tests.connectors.faulty_server import json_answer
from tests.connectors.langfuse.conftest import Reader
from tests.connectors.langfuse.written import HASH_KEY, OBSERVATIONS, observation
from tests.connectors.stored_log import places, planted

WRITTEN = (
    Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/written/langfuse_v2_observations.json"
)
CANARY = "canary-5f3a"
BUCKETS = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
    "output_text_tokens",
    "output_reasoning_tokens",
    "output_audio_tokens",
)


def buckets(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in BUCKETS)


def test_an_observation_is_a_row_with_its_tokens_cost_and_attribution(reader: Reader) -> None:
    row = reader.row(observation(), environment_key="stage", provider_key="ticket")
    assert buckets(row) == (176, 1024, 0, 0, 0, 300, 0, 0)
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (1200, 300)
    assert (row["usage_provenance"], row["input_semantics"]) == ("provider", "exclusive")
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (Decimal("0.00472"), "list")
    assert (row["request_id"], row["gateway"], row["call_type"]) == ("obs-1", "langfuse", "generation")
    assert (row["requested_model"], row["billed_model"]) == ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06")
    assert (row["gateway_team_id"], row["feature"], row["environment"]) == ("search", "summarize", "production")
    assert row["provider"] == "T-1"
    assert json.loads(row["outcome_ids"]) == {"ticket": "T-1"}
    assert json.loads(row["tags"]) == ["feature:summarize", "env:prod"]
    assert row["user_hash"] == keyed_hash(HASH_KEY)("alice@corp.test")
    assert (str(row["started_at"]), row["latency_seconds"]) == ("2026-11-21 01:38:40.440000", 1.001)
    assert (row["status"], row["is_stream"], row["is_cache_hit"]) == ("success", True, False)
    assert json.loads(row["x_extra"]) == {
        "trace_id": "tr-1",
        "session_id": "sess-1",
        "project_id": "proj-1",
        "pricing_tier": "Standard",
    }


def test_an_observation_of_the_documentation_is_read_with_its_model(reader: Reader) -> None:
    """The sample answer of Langfuse's page on its observations API, where the model stands as `model`."""
    row = reader.row(
        {
            "id": "support-chat-7-950dc53a-gen",
            "traceId": "support-chat-7-950dc53a",
            "startTime": "2026-11-21T16:09:00.875Z",
            "endTime": "2026-11-21T16:09:01.456Z",
            "completionStartTime": "2026-11-21T16:09:00.995Z",
            "parentObservationId": None,
            "type": "GENERATION",
            "level": "DEFAULT",
            "environment": "default",
            "metadata": {},
            "model": "gpt-4o",
            "internalModelId": "",
            "usageDetails": {"input": 98, "output": 68, "total": 166},
            "costDetails": {"input": 0.000196, "output": 0.000204, "total": 0.00083},
            "totalCost": 0.00083,
            "latency": 0.581,
            "timeToFirstToken": 0.12,
            "userId": "",
        }
    )
    assert (row["requested_model"], row["billed_model"]) == ("gpt-4o", "gpt-4o")
    assert buckets(row) == (98, 0, 0, 0, 0, 68, 0, 0)
    assert (row["source_reported_cost_usd"], row["latency_seconds"]) == (Decimal("0.00083"), 0.581)
    assert (row["is_stream"], row["user_hash"]) == (True, None)


def test_a_call_that_a_gateway_sent_is_known_by_the_provider_s_id_of_the_answer(reader: Reader) -> None:
    sent = reader.row(observation(id="time-13-45-22-123456_chatcmpl-9_a"))
    assert (sent["request_id"], sent["response_id"]) == ("time-13-45-22-123456_chatcmpl-9_a", "chatcmpl-9_a")
    own = reader.row(observation())
    assert (own["response_id"], own["trace_id"]) == (None, "tr-1")


def test_a_trace_s_own_name_is_the_feature_where_the_settings_ask_for_it(reader: Reader) -> None:
    assert reader.row(observation(), feature_key="traceName", environment_key="env")["feature"] == "chat"
    assert b"chat" not in b"".join(reader.pages([observation()]))


@pytest.mark.parametrize(
    ("details", "over", "expected", "semantics"),
    [
        # LiteLLM's callback: cached input inside of the input, and a total that says so
        ({"input": 1200, "cache_read_input_tokens": 1024, "output": 300, "total": 1500}, {}, (176, 1024, 0, 0, 0, 300, 0, 0), "inclusive"),
        # a caller's own figures, inclusive; the total is the sum that Langfuse adds
        ({"input": 1200, "cache_read_input_tokens": 1024, "output": 300, "total": 2524}, {"usage": "inclusive"}, (176, 1024, 0, 0, 0, 300, 0, 0), "inclusive"),
        ({"input": 1200, "cache_read_input_tokens": 1024, "output": 300, "total": 2524}, {}, (1200, 1024, 0, 0, 0, 300, 0, 0), "exclusive"),
        # Anthropic: what was written to the cache by duration, and their sum under the older name
        ({"input": 100, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 400, "input_cache_creation_5m": 300, "input_cache_creation_1h": 100, "output": 300}, {}, (100, 700, 300, 100, 0, 300, 0, 0), "exclusive"),
        # ... and under the older name what has no duration
        ({"input": 100, "cache_creation_input_tokens": 120, "input_cache_creation_1h": 100, "output": 300, "total": 620}, {}, (100, 0, 120, 100, 0, 300, 0, 0), "exclusive"),
        ({"input": 100, "input_audio_tokens": 50, "output": 200, "output_reasoning_tokens": 80, "output_audio_tokens": 20, "total": 450}, {}, (100, 0, 0, 0, 50, 200, 80, 20), "exclusive"),
        # names that nobody knows: input is input, and a search is no token
        ({"input": 100, "input_video_tokens": 40, "output": 10, "searches": 3, "total": 153}, {}, (140, 0, 0, 0, 0, 10, 0, 0), "exclusive"),
        ({"input": "176", "input_cached_tokens": "1024", "output": "300", "total": "1500"}, {}, (176, 1024, 0, 0, 0, 300, 0, 0), "exclusive"),
    ],
)  # fmt: skip
def test_usage_is_exclusive_buckets_however_it_is_filed(
    details: dict[str, Any], over: dict[str, Any], expected: tuple[int, ...], semantics: str, reader: Reader
) -> None:
    row = reader.row(observation(usageDetails=details), **over)
    assert buckets(row) == expected
    assert row["input_semantics"] == semantics


def test_usage_under_other_names_is_kept_beside(reader: Reader) -> None:
    details = {"input": 100, "input_video_tokens": 40, "output": 10, "searches": 3, "total": 153}
    assert json.loads(reader.row(observation(usageDetails=details))["x_extra"])["usage"] == {
        "input_video_tokens": 40,
        "searches": 3,
    }


def test_usage_that_contradicts_the_settings_is_refused_with_its_cost(reader: Reader) -> None:
    inside = {"input": 1200, "cache_read_input_tokens": 1024, "output": 300, "total": 1500}
    night = reader.night([observation(usageDetails=inside), observation(id="obs-2")], usage="exclusive")
    assert night.rows["request_id"].to_pylist() == ["obs-2"]
    assert [(reject.reason, reject.cost) for reject in night.rejects] == [("total_does_not_add_up", Decimal("0.00472"))]
    nonsense = reader.night([observation(usageDetails={"input": 10, "output": 5, "total": 99})])
    assert [reject.reason for reject in nonsense.rejects] == ["total_does_not_add_up"]


def test_an_embedding_has_no_output_and_a_failure_the_model_that_was_called(reader: Reader) -> None:
    embedding = reader.row(observation(type="EMBEDDING", usageDetails={"input": 8}))
    assert (embedding["call_type"], embedding["input_total_tokens"], embedding["output_total_tokens"]) == (
        "embedding",
        8,
        0,
    )
    nothing = {"level": "ERROR", "usageDetails": {}, "costDetails": {}, "totalCost": None}
    failed = reader.row(observation(**nothing, timeToFirstToken=None))
    assert (failed["status"], failed["usage_provenance"]) == ("failure", "missing")
    assert failed["billed_model"] == "gpt-4o-2024-08-06"
    assert (failed["source_reported_cost_usd"], failed["source_cost_basis"]) == (None, "unknown")
    assert failed["has_begun"] is None


def test_a_failure_after_the_first_token_began_and_keeps_its_model(reader: Reader) -> None:
    failed = reader.row(
        observation(level="ERROR", usageDetails={}, costDetails={}, totalCost=None, timeToFirstToken=0.31)
    )
    assert (failed["status"], failed["has_begun"], failed["is_stream"]) == ("failure", True, True)
    assert (failed["billed_model"], failed["usage_provenance"]) == ("gpt-4o-2024-08-06", "missing")


def test_a_model_that_langfuse_counts_itself_is_an_estimate(reader: Reader) -> None:
    rows = [observation(), observation(id="obs-2", providedModelName="llama-3-own")]
    night = reader.night(rows, tokenized_models=["llama-*"])
    found = dict(zip(night.rows["request_id"].to_pylist(), night.rows["usage_provenance"].to_pylist(), strict=True))
    assert found == {"obs-1": "provider", "obs-2": "gateway_tokenizer"}


@pytest.mark.parametrize(
    ("over", "cost", "basis"),
    [
        ({"totalCost": None}, "0.00472", "list"),
        ({"totalCost": None, "costDetails": {"input": 0.001, "cache_tax": 0.0005}}, "0.0015", "list"),
        ({"usagePricingTierName": None}, "0.00472", "unknown"),
        ({"totalCost": 0, "costDetails": {}}, "0", "unknown"),
        ({"totalCost": None, "costDetails": {}}, None, "unknown"),
    ],
)
def test_the_reported_cost_is_the_total_or_the_sum_of_its_parts(
    over: dict[str, Any], cost: str | None, basis: str, reader: Reader
) -> None:
    row = reader.row(observation(**over))
    assert row["source_reported_cost_usd"] == (None if cost is None else Decimal(cost))
    assert row["source_cost_basis"] == basis


def test_an_observation_that_was_sent_again_counts_once_as_it_stands_now(reader: Reader) -> None:
    early = observation(usageDetails={}, costDetails={}, totalCost=None, updatedAt="2026-11-21T01:38:42.000Z")
    late = observation(updatedAt="2026-11-21T01:39:42.000Z")
    for rows in ([early, late, late], [late, early, late]):
        night = reader.night(rows)
        assert (night.rows["output_total_tokens"].to_pylist(), night.duplicate_count) == ([300], 2)


def test_only_calls_of_models_are_asked_for_and_never_their_bodies(reader: Reader) -> None:
    reader.pages([])
    asked = [request.query for request in reader.server.requests]
    assert [query["type"] for query in asked] == [["GENERATION"], ["EMBEDDING"]]
    for query in asked:
        assert "io" not in query["fields"][0].split(",")
        assert "usage" in query["fields"][0].split(",")
        assert (query["fromStartTime"], query["toStartTime"]) == (
            ["2026-11-21T00:00:00.000Z"],
            ["2026-11-22T00:00:00.000Z"],
        )
        assert set(query["expandMetadata"][0].split(",")) == {"environment", "feature", "provider", "team", "ticket"}


def test_an_older_langfuse_is_named_with_what_to_do(reader: Reader) -> None:
    reader.server.route(OBSERVATIONS, json_answer(b'{"message": "not found"}', 404))
    for ask in (lambda: reader.pages([]), lambda: reader.source.probe(reader.settings())):
        with pytest.raises(SourceError, match="langfuse_export"):
            ask()


@pytest.mark.parametrize("secret", [CANARY, {"a": CANARY}, [CANARY], [[{"b": [CANARY]}]], f"1{CANARY}"])
def test_a_secret_planted_anywhere_outside_of_the_allow_list_is_in_no_page(secret: Any, reader: Reader) -> None:
    told = observation(input={"messages": "a prompt"}, output="an answer", statusMessage="text")
    texts = {
        "id", "traceId", "projectId", "parentObservationId", "level", "environment", "sessionId", "providedModelName",
        "internalModelId", "modelId", "usagePricingTierName", "tags", "team", "ticket",
    }  # fmt: skip
    rows = list[dict[str, Any]]()
    for path in [path for path in places(told) if not (set(path) & texts) and path not in (("type",), ("startTime",))]:
        rows += [planted(told, path, secret, name) for name in ("content", "notes", CANARY)]
    landed = b"".join(reader.pages(rows, rows_per_page=1000))
    assert landed.count(b"\n") == len(rows) > 50
    for word in (CANARY, "a prompt", "an answer", "alice", "private"):
        assert word.encode() not in landed


def test_e_mail_addresses_in_kept_texts_are_hashed(reader: Reader) -> None:
    said = observation(sessionId="of alice@corp.test", tags=["by:alice@corp.test"], metadata={"team": "bob@corp.test"})
    landed = b"".join(reader.pages([said]))
    assert b"corp.test" not in landed


@pytest.mark.skipif(not WRITTEN.exists(), reason="the written examples are not beside this checkout")
def test_the_written_example_is_read(reader: Reader) -> None:
    (told,) = json.loads(WRITTEN.read_bytes())["data"]
    row = reader.row(told, feature_key="feature", environment_key="env")
    assert buckets(row) == (176, 1024, 0, 0, 0, 300, 0, 0)
    assert (row["source_reported_cost_usd"], row["environment"]) == (Decimal("0.00472"), "prod")
