"""Every family of providers answers in its own words, and the buckets say the same of all; counted by hand."""

from typing import Any

import pytest

from connectors.logs.buckets import MISSING, UsageError
from connectors.logs.usage_bodies import read_body, service_tier

CHAT = {
    "model": "gpt-5",
    "service_tier": "flex",
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 300,
        "total_tokens": 1300,
        "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100, "audio_tokens": 50},
        "completion_tokens_details": {"reasoning_tokens": 120, "audio_tokens": 30, "rejected_prediction_tokens": 9},
    },
}
RESPONSES = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
    "output_tokens": 300,
    "output_tokens_details": {"reasoning_tokens": 120},
    "total_tokens": 1300,
}
REALTIME = {
    "input_tokens": 500,
    "input_token_details": {
        "text_tokens": 200,
        "audio_tokens": 300,
        "cached_tokens": 250,
        "cached_tokens_details": {"text_tokens": 130, "audio_tokens": 120},
    },
    "output_tokens": 90,
    "output_token_details": {"text_tokens": 20, "audio_tokens": 70},
    "total_tokens": 590,
}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "usage": {
        "input_tokens": 10,
        "cache_read_input_tokens": 700,
        "cache_creation_input_tokens": 400,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300},
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 35},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "batch",
    },
}
GEMINI = {
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 1000,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 600}, {"modality": "AUDIO", "tokenCount": 400}],
        "cachedContentTokenCount": 350,
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 200}, {"modality": "AUDIO", "tokenCount": 150}],
        "toolUsePromptTokenCount": 60,
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 60}],
        "candidatesTokenCount": 80,
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 50}, {"modality": "AUDIO", "tokenCount": 30}],
        "thoughtsTokenCount": 40,
        "totalTokenCount": 1180,
        "trafficType": "PROVISIONED_THROUGHPUT",
    },
}
CONVERSE = {
    "inputTokens": 10,
    "cacheReadInputTokens": 700,
    "cacheWriteInputTokens": 400,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 100}, {"ttl": "1h", "inputTokens": 300}],
    "outputTokens": 50,
    "totalTokens": 1160,
}
INVOKED = {
    "inputTokenCount": 10,
    "outputTokenCount": 50,
    "cacheReadInputTokenCount": 700,
    "cacheWriteInputTokenCount": 400,
    "invocationLatency": 900,
}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # uncached, read, written 5m, written 1h, audio in, text, reasoning, audio out, input, output
        (CHAT, (250, 600, 100, 0, 50, 150, 120, 30, 1000, 300)),
        ({"model": "gpt-5", "usage": RESPONSES}, (300, 600, 100, 0, 0, 180, 120, 0, 1000, 300)),
        (
            {"type": "response.completed", "response": {"usage": RESPONSES}},
            (300, 600, 100, 0, 0, 180, 120, 0, 1000, 300),
        ),
        ({"type": "response.done", "response": {"usage": REALTIME}}, (70, 250, 0, 0, 180, 20, 0, 70, 500, 90)),
        ({"usage": {"prompt_tokens": 4, "total_tokens": 4}}, (4, 0, 0, 0, 0, 0, 0, 0, 4, 0)),
        (
            {
                "type": "transcript.text.done",
                "usage": {
                    "type": "tokens",
                    "input_tokens": 14,
                    "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
                    "output_tokens": 45,
                    "total_tokens": 59,
                },
            },
            (4, 0, 0, 0, 10, 45, 0, 0, 14, 45),
        ),
        (
            {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}},
            (14, 0, 0, 0, 0, 0, 0, 101, 14, 101),
        ),
        (MESSAGES, (10, 700, 100, 300, 0, 15, 35, 0, 1110, 50)),
        ({"type": "message_start", "message": MESSAGES}, (10, 700, 100, 300, 0, 15, 35, 0, 1110, 50)),
        (GEMINI, (460, 350, 0, 0, 250, 50, 40, 30, 1060, 120)),
        ({"usageMetadata": {"promptTokenCount": 7}}, (7, 0, 0, 0, 0, 0, 0, 0, 7, 0)),
        ({"usage": CONVERSE}, (10, 700, 100, 300, 0, 50, 0, 0, 1110, 50)),
        ({"amazon-bedrock-invocationMetrics": INVOKED}, (10, 700, 400, 0, 0, 50, 0, 0, 1110, 50)),
        (
            {"inputTextTokenCount": 5, "results": [{"tokenCount": 30}, {"tokenCount": 2}]},
            (5, 0, 0, 0, 0, 32, 0, 0, 5, 32),
        ),
        (
            {"generation": "(text)", "prompt_token_count": 5, "generation_token_count": 30},
            (5, 0, 0, 0, 0, 30, 0, 0, 5, 30),
        ),
        (
            {"usage": {"billed_units": {"input_tokens": 8, "output_tokens": 2}, "tokens": {"input_tokens": 153}}},
            (8, 0, 0, 0, 0, 2, 0, 0, 8, 2),
        ),
        ({"meta": {"billed_units": {"input_tokens": 8}}}, (8, 0, 0, 0, 0, 0, 0, 0, 8, 0)),
        (
            {"usage": {"tokens": {"input_tokens": 153, "output_tokens": 2}}},
            (153, 0, 0, 0, 0, 2, 0, 0, 153, 2),
        ),
    ],
)
def test_an_answer_splits_as_counted_by_hand(body: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert read_body(body).buckets[:10] == expected


@pytest.mark.parametrize("body", [CHAT, MESSAGES, GEMINI])
def test_the_usage_object_alone_says_the_same_as_the_whole_answer(body: dict[str, Any]) -> None:
    alone = body.get("usage") or body["usageMetadata"]
    assert read_body(alone).buckets == read_body(body).buckets
    assert read_body(alone).model is None


@pytest.mark.parametrize(
    "read",
    [
        {"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40},  # DeepSeek
        {"cached_tokens": 60},  # Moonshot
        {"prompt_tokens_details": {"cached_tokens": 60}},
        {"prompt_tokens_details": {"cached_tokens": 60}, "prompt_cache_hit_tokens": 60},
    ],
)
def test_the_chat_dialect_says_cached_input_in_many_places_and_it_counts_once(read: dict[str, Any]) -> None:
    body = {"usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, **read}}
    assert read_body(body).buckets[:3] == (40, 60, 0)


def test_reasoning_that_xai_counts_beside_the_completion_is_output_too() -> None:
    usage = {
        "prompt_tokens": 32,
        "completion_tokens": 9,
        "total_tokens": 135,
        "completion_tokens_details": {"reasoning_tokens": 94},
    }
    assert read_body({"model": "grok-4", "usage": usage}).buckets[5:10] == (9, 94, 0, 32, 103)


def test_perplexity_counts_reasoning_in_no_total_and_its_searches_and_citations_are_told() -> None:
    usage = {
        "prompt_tokens": 33,
        "completion_tokens": 7163,
        "total_tokens": 7196,
        "citation_tokens": 20016,
        "num_search_queries": 28,
        "reasoning_tokens": 95305,
    }
    used = read_body({"model": "sonar-deep-research", "usage": usage})
    assert used.buckets[5:10] == (7163, 95305, 0, 33, 102468)
    assert used.beside == {"web_searches": 28, "citation_tokens": 20016}


def test_images_are_inside_of_the_text_classes_and_told_beside_them() -> None:
    usage = {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 272,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 272},
        "total_tokens": 322,
    }
    used = read_body({"created": 1, "usage": usage})
    assert used.buckets[:8] == (50, 0, 0, 0, 0, 272, 0, 0)
    assert used.beside == {"input_image_tokens": 40, "output_image_tokens": 272}


def test_usage_in_seconds_has_no_tokens_and_keeps_its_seconds() -> None:
    used = read_body({"text": "(text)", "usage": {"type": "duration", "seconds": 27}})
    assert used.buckets is MISSING
    assert used.beside == {"audio_seconds": 27}


@pytest.mark.parametrize(
    "body", [{}, {"model": "gpt-5"}, {"usage": None}, {"usage": {}}, {"id": "x", "meta": {"a": 1}}]
)
def test_an_answer_without_usage_was_not_counted(body: dict[str, Any]) -> None:
    assert read_body(body).buckets is MISSING


def test_an_iteration_of_another_model_is_no_part_of_the_answer_s_own_tokens() -> None:
    iterations = [
        {"type": "message", "input_tokens": 100, "output_tokens": 10},
        {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 250, "output_tokens": 3},
        {"type": "compaction", "input_tokens": 900, "output_tokens": 20, "cache_read_input_tokens": 5},
    ]
    body = {"model": "claude-sonnet-5", "usage": {"input_tokens": 100, "output_tokens": 10, "iterations": iterations}}
    used = read_body(body)
    assert used.buckets[8:10] == (100, 10)
    assert [(further.model, *further.buckets[8:10]) for further in used.further] == [
        ("claude-opus-4-8", 250, 3),
        ("claude-sonnet-5", 905, 20),
    ]


@pytest.mark.parametrize(
    ("body", "model", "tier"),
    [
        (CHAT, "gpt-5", "flex"),
        (MESSAGES, "claude-sonnet-4-5", "batch"),
        (GEMINI, "gemini-2.5-flash", "provisioned"),
        ({"usage": CONVERSE, "serviceTier": {"type": "priority"}}, None, "priority"),
        ({"model": "llama", "service_tier": "on_demand", "usage": RESPONSES}, "llama", "default"),
        ({"model": "gpt-5", "service_tier": None, "usage": RESPONSES}, "gpt-5", None),
    ],
)
def test_an_answer_tells_its_model_and_its_tier(body: dict[str, Any], model: str | None, tier: str | None) -> None:
    used = read_body(body)
    assert (used.model, used.service_tier) == (model, tier)


@pytest.mark.parametrize(
    ("word", "tier"),
    [
        ("standard", "default"),
        ("auto", "default"),
        ("ON_DEMAND", "default"),
        ("ON_DEMAND_FLEX", "flex"),
        ("scale", "provisioned"),
        ("priority", "priority"),
        ("a-new-word", "a-new-word"),
        ("", None),
        (None, None),
    ],
)
def test_providers_words_for_tiers_become_the_price_book_s(word: str | None, tier: str | None) -> None:
    assert service_tier(word) == tier


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"requests": 1}, "unknown_usage"),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 16}, "total_does_not_add_up"),
        ({**RESPONSES, "total_tokens": 1420}, "total_does_not_add_up"),  # reasoning is inside, whatever the total says
        ({**CONVERSE, "totalTokens": 60}, "total_does_not_add_up"),
        ({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 14}, "total_does_not_add_up"),
        ({"prompt_tokens": "10", "completion_tokens": 5}, "bad_token_count"),
        ({"input_tokens": 10, "output_tokens": -1}, "bad_token_count"),
        ({"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 11}}, "parts_exceed_total"),
        ({**REALTIME, "input_token_details": {"cached_tokens_details": {"audio_tokens": 1}}}, "parts_exceed_total"),
        ({**MESSAGES["usage"], "cache_creation_input_tokens": 401}, "cache_writes_do_not_add_up"),
        ({"input_tokens": 10, "cache_read_input_tokens": 3}, "half_usage"),
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(usage: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_body({"usage": usage})
    assert refused.value.reason == reason
