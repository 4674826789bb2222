"""A span becomes the attempt worked out by hand, whichever words it speaks."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.logs.values import keyed_hash
from models.identity import identity_rows
from tests.connectors.otel.written import CHAT, LLM, TRACE, envelope, span
from tests.connectors.stored_log import KEY, LogFolder

FILE = "2026-11-21/a.jsonl"
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
USAGE = "gen_ai.usage."
NAMED = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "anthropic",
    "gen_ai.response.model": "claude-sonnet-4-5",
}


def row_of(log: LogFolder, attributes: dict[str, Any], **over: Any) -> dict[str, Any]:
    """The row of the only span."""
    scope = over.pop("scope", "a.scope")
    log.file(FILE, [envelope(span(1, attributes), scope=scope)])
    (row,) = log.rows(**over)
    return row


def test_a_chat_becomes_the_attempt_worked_out_by_hand(log: LogFolder) -> None:
    said = {
        **CHAT,
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.conversation.id": "conv-9",
        "gen_ai.request.stream": True,
        "gen_ai.usage.reasoning.output_tokens": 120,
        "openai.response.service_tier": "auto",
        "server.address": "api.openai.com",
        "server.port": 443,
        "user.id": "alice@corp.test",
        "metadata": '{"team": "support", "feature": "refund", "ticket": "T-9", "note": "private"}',
        "tag.tags": ["env:prod"],
        "gen_ai.usage.cost": 0.00472,
    }
    row = row_of(log, said, outcome_keys=["ticket"])
    assert tuple(row[name] for name in BUCKETS) == (176, 1024, 0, 0, 0, 180, 120, 0)
    assert (row["input_total_tokens"], row["output_total_tokens"], row["input_semantics"]) == (1200, 300, "inclusive")
    assert row["started_at"] == datetime(2026, 11, 21, 1, 38, 40, 440001)
    assert (row["ended_at"], row["latency_seconds"]) == (datetime(2026, 11, 21, 1, 38, 41, 440001), 1.0)
    assert (row["request_id"], row["dedup_key"]) == ("chatcmpl-1", f"{TRACE}:{1:016x}")
    assert (row["gateway"], row["call_type"], row["provider"]) == ("otel_genai", "chat", "openai")
    assert (row["requested_model"], row["billed_model"]) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert (row["api_base"], row["service_tier"], row["is_stream"]) == ("api.openai.com", "default", True)
    assert (row["gateway_team_id"], row["feature"], row["environment"]) == ("support", "refund", "prod")
    assert (row["outcome_ids"], row["tags"]) == ('{"ticket":"T-9"}', '["env:prod"]')
    assert row["user_hash"] == keyed_hash(KEY)("alice@corp.test")
    assert (row["status"], row["is_cache_hit"], row["attempt_group_id"]) == ("success", False, None)
    assert (row["source_reported_cost_usd"], row["source_cost_basis"]) == (Decimal("0.00472"), "unknown")
    assert row["x_extra"] == (
        f'{{"instrumentation":"a.scope","service":"support-agent","session":"conv-9","trace_id":"{TRACE}"}}'
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # the names of today, of before, and of OpenLLMetry and Sentry: 1200 in of which 700 read and 400 written
        ({"input_tokens": 1200, "output_tokens": 300, "cache_read.input_tokens": 700,
          "cache_creation.input_tokens": 400}, (100, 700, 400, 0, 0, 300, 0, 0)),
        ({"prompt_tokens": 1200, "completion_tokens": 300, "cache_read_input_tokens": 700,
          "cache_creation_input_tokens": 400}, (100, 700, 400, 0, 0, 300, 0, 0)),
        ({"input_tokens": 1200, "output_tokens": 300, "input_tokens.cached": 700, "output_tokens.reasoning": 80},
         (500, 700, 0, 0, 0, 220, 80, 0)),
        ({"prompt_tokens": 1200, "completion_tokens": 300, "reasoning_tokens": 80}, (1200, 0, 0, 0, 0, 220, 80, 0)),
        # an older instrumentation of Anthropic: 700 and 400 cannot be inside of 100
        ({"input_tokens": 100, "output_tokens": 300, "cache_read_input_tokens": 700,
          "cache_creation_input_tokens": 400}, (100, 700, 400, 0, 0, 300, 0, 0)),
        # the total says that 700 are outside of 800
        ({"input_tokens": 800, "output_tokens": 300, "cache_read_input_tokens": 700, "total_tokens": 1800},
         (800, 700, 0, 0, 0, 300, 0, 0)),
        # audio is inside of both
        ({"input_tokens": 1200, "output_tokens": 300, "audio.input_tokens": 200, "audio.output_tokens": 50},
         (1000, 0, 0, 0, 200, 250, 0, 50)),
        # a half follows from the total
        ({"input_tokens": 1200, "total_tokens": 1500}, (1200, 0, 0, 0, 0, 300, 0, 0)),
    ],
)  # fmt: skip
def test_counts_are_read_under_their_new_and_their_old_names(
    said: dict[str, int], expected: tuple[int, ...], log: LogFolder
) -> None:
    row = row_of(log, NAMED | {USAGE + name: count for name, count in said.items()})
    assert tuple(row[name] for name in BUCKETS) == expected


def test_an_instrumentation_that_figures_cannot_give_away_is_named(log: LogFolder) -> None:
    said = NAMED | {USAGE + "input_tokens": 800, USAGE + "output_tokens": 300, USAGE + "cache_read_input_tokens": 700}
    inside = row_of(log, said, scope="vendor.anthropic")
    outside = row_of(log, said, scope="vendor.anthropic", cached_beside=["vendor.*"])
    assert [(row["input_uncached_tokens"], row["input_total_tokens"]) for row in (inside, outside)] == [
        (100, 800),
        (800, 1500),
    ]
    assert (inside["input_semantics"], outside["input_semantics"]) == ("inclusive", "exclusive")
    assert (inside["is_convention_assumed"], outside["is_convention_assumed"]) == (True, False)
    known = row_of(log, said, scope="vendor.anthropic", cached_inside=["vendor.*"])
    assert (known["input_uncached_tokens"], known["is_convention_assumed"]) == (100, False)


def test_a_night_says_how_many_rows_leave_open_what_their_input_holds(log: LogFolder) -> None:
    said = NAMED | {USAGE + "input_tokens": 800, USAGE + "output_tokens": 300, USAGE + "cache_read_input_tokens": 700}
    row_of(log, said)
    assert any(notice.startswith("1 row does not say whether cached input") for notice in log.night().notices)


def test_an_open_inference_span_is_read_by_its_own_words(log: LogFolder) -> None:
    said = {
        **LLM,
        "llm.token_count.completion_details.reasoning": 100,
        "llm.cost.prompt": 0.00172,
        "llm.cost.completion": 0.003,
        "llm.input_messages.0.message.content": "a prompt",
        "metadata.team": "support",
    }
    row = row_of(log, said)
    assert tuple(row[name] for name in BUCKETS) == (176, 1024, 0, 0, 0, 200, 100, 0)
    assert (row["call_type"], row["provider"], row["billed_model"]) == ("chat", "openai", "gpt-4o-2024-08-06")
    assert (row["gateway_team_id"], row["requested_model"]) == ("support", None)
    assert row["source_reported_cost_usd"] == Decimal("0.00472")
    assert row["request_id"] == f"{1:016x}"


def test_of_a_span_that_speaks_both_the_genai_words_are_read(log: LogFolder) -> None:
    row = row_of(log, {**LLM, **CHAT, "llm.token_count.prompt": 9, "llm.token_count.total": 309})
    assert (row["input_total_tokens"], row["cache_read_tokens"]) == (1200, 1024)


@pytest.mark.parametrize(
    "said",
    [
        {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "m", USAGE + "input_tokens": 8},
        {"llm.request.type": "embedding", "gen_ai.request.model": "m", USAGE + "prompt_tokens": 8},
        {"openinference.span.kind": "EMBEDDING", "embedding.model_name": "m", "llm.token_count.prompt": 8},
    ],
)
def test_embeddings_have_no_output(said: dict[str, Any], log: LogFolder) -> None:
    row = row_of(log, said)
    assert (row["call_type"], row["billed_model"]) == ("embeddings", "m")
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (8, 0)


def test_a_chat_of_which_half_is_told_is_refused(log: LogFolder) -> None:
    log.file(FILE, [envelope(span(1, NAMED | {USAGE + "input_tokens": 8}))])
    assert [reject.reason for reject in log.night().rejects] == ["half_usage"]


def test_counts_that_contradict_their_total_are_refused_with_their_cost(log: LogFolder) -> None:
    log.file(FILE, [envelope(span(1, {**LLM, "llm.token_count.total": 1501, "llm.cost.total": 0.25}))])
    assert [(reject.reason, reject.cost) for reject in log.night().rejects] == [
        ("total_does_not_add_up", Decimal("0.25"))
    ]


@pytest.mark.parametrize(
    ("over", "said", "status"),
    [
        ({"status": {"code": 2, "message": "a secret"}}, {}, "failure"),
        ({"status": {"code": "STATUS_CODE_ERROR"}}, {}, "failure"),
        ({"status": {"code": 1}}, {}, "success"),
        ({}, {"error.type": "RateLimitError"}, "failure"),
        ({}, {}, "success"),
    ],
)
def test_a_failure_is_an_error_status_or_a_type_of_error(
    over: dict[str, Any], said: dict[str, Any], status: str, log: LogFolder
) -> None:
    log.file(FILE, [envelope(span(1, NAMED | said, **over))])
    (row,) = log.rows()
    assert (row["status"], row["usage_provenance"], row["input_total_tokens"]) == (status, "missing", None)
    assert row["billed_model"] == "claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("address", "said", "provider", "region"),
    [
        ("api.openai.com", "openai", "openai", None),
        ("acme.openai.azure.com", "openai", "azure.ai.openai", None),
        ("bedrock-runtime.eu-west-1.amazonaws.com", "anthropic", "aws.bedrock", "eu-west-1"),
        ("europe-west4-aiplatform.googleapis.com", "anthropic", "gcp.vertex_ai", "europe-west4"),
        ("vllm.models.svc", "openai", "self_hosted_openai", None),
    ],
)
def test_the_address_says_whose_service_answered(
    address: str, said: str, provider: str, region: str | None, log: LogFolder
) -> None:
    row = row_of(log, {**CHAT, "gen_ai.provider.name": said, "server.address": address})
    assert (row["provider"], row["region_id"], row["api_base"]) == (provider, region, address)


def test_a_port_of_its_own_is_part_of_the_address(log: LogFolder) -> None:
    row = row_of(log, {**CHAT, "server.address": "10.1.2.80", "server.port": 8000})
    assert (row["api_base"], row["provider"]) == ("10.1.2.80:8000", "self_hosted_openai")


def test_team_and_feature_may_be_the_resources_own(log: LogFolder) -> None:
    resource = {"service.name": "bot", "service.namespace": "team-support", "deployment.environment": "staging"}
    log.file(FILE, [envelope(span(1, CHAT), resource=resource)])
    (row,) = log.rows(team_id_field="service.namespace", feature_key="service.name")
    assert (row["gateway_team_id"], row["feature"], row["environment"]) == ("team-support", "bot", "staging")


def test_callers_are_taken_from_the_nearest_span_above_that_says_them(log: LogFolder) -> None:
    log.file(
        FILE,
        [
            envelope(span(3, CHAT, parent=2), span(4, {**CHAT, "user.id": "bob"}, parent=2)),
            envelope(span(2, {"http.request.method": "POST", "user.id": ""}, parent=1)),
            envelope(
                span(
                    1,
                    {
                        "openinference.span.kind": "AGENT",
                        "user.id": "alice",
                        "session.id": "s-1",
                        "traceloop.association.properties.team": "support",
                        "tag.tags": ["env:prod"],
                    },
                )
            ),
        ],
    )
    rows = log.rows(environment_key="env")
    person = keyed_hash(KEY)
    assert [row["user_hash"] for row in rows] == [person("alice"), person("bob")]
    assert {(row["gateway_team_id"], row["environment"], row["tags"]) for row in rows} == {
        ("support", "prod", '["env:prod"]')
    }
    assert all('"session":"s-1"' in row["x_extra"] for row in rows)


def test_the_providers_of_the_conventions_are_those_of_the_price_book() -> None:
    named = [
        ("openai", "gpt-4o-2024-08-06"),
        ("azure.ai.openai", "gpt-4o"),
        ("azure.ai.inference", "gpt-4o"),
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("gcp.vertex_ai", "gemini-2.5-pro"),
        ("gcp.gemini", "gemini-2.5-pro"),
        ("gcp.gen_ai", "gemini-2.5-pro"),
        ("mistral_ai", "mistral-large-latest"),
        ("x_ai", "grok-4"),
    ]
    found = identity_rows(named, {})
    assert dict(zip(found["source_provider"], found["provider_id"], strict=True)) == {
        "openai": "openai",
        "azure.ai.openai": "azure",
        "azure.ai.inference": "azure",
        "aws.bedrock": "aws",
        "gcp.vertex_ai": "google",
        "gcp.gemini": "google",
        "gcp.gen_ai": "google",
        "mistral_ai": "mistral",
        "x_ai": "x-ai",
    }
    assert set(found["identity_source"]) == {"genai-prices"}
