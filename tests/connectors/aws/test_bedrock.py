"""Usage types of Amazon Bedrock: which model, token class and tier their words mean."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.aws.bedrock import BedrockMeter, read_usage_type, tokens_per_unit
from connectors.aws.bedrock_models import MODELS, model_id
from models.identity import identity_rows
from models.tokens import TOKEN_CLASSES, tokens_in


def meter(usage_type: str) -> BedrockMeter:
    found = read_usage_type(usage_type)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("usage_type", "name", "token_class", "tier"),
    [
        ("USE1-Claude4.6Sonnet-input-tokens", "Claude4.6Sonnet", "input_uncached", "default"),
        ("USE1-Nova2Pro-output-tokens", "Nova2Pro", "output_text", "default"),
        ("USW2-NovaPro-cache-read-input-token-count", "NovaPro", "cache_read", "default"),
        ("EUC1-NovaPro-cache-write-input-token-count", "NovaPro", "cache_write_5m", "default"),
        ("USE1-Claude4Sonnet-cache-write-input-token-count-1-hour", "Claude4Sonnet", "cache_write_1h", "default"),
        ("USE1-Claude4Sonnet-cache-write-1h-input-token-count", "Claude4Sonnet", "cache_write_1h", "default"),
        ("USE1-Llama4-Maverick-17B-input-tokens-batch", "Llama4-Maverick-17B", "input_uncached", "batch"),
        ("USE1-Gemma-3-4B-IT-output-tokens-flex", "Gemma-3-4B-IT", "output_text", "flex"),
        ("USE1-GPT-OSS-Safeguard-20B-input-tokens-priority", "GPT-OSS-Safeguard-20B", "input_uncached", "priority"),
        ("USE1-NovaPro-input-tokens-latency-optimized", "NovaPro", "input_uncached", "latency-optimized"),
        ("USE1-TitanEmbeddingV2-Text-input-tokens-batch", "TitanEmbeddingV2-Text", "input_uncached", "batch"),
        ("USE1-NovaSonic-speech-input-tokens", "NovaSonic", "input_audio", "default"),
        ("USE1-NovaSonic-speech-output-tokens", "NovaSonic", "output_audio", "default"),
        ("USE1-NovaSonic-speech-understanding-input-token", "NovaSonic", "input_audio", "default"),
        ("USE1-NovaSonic-text-output-tokens", "NovaSonic", "output_text", "default"),
        ("USE1-Nova2.0Omni-input-audio-token-count", "Nova2.0Omni", "input_audio", "default"),
        ("USE1-openai.gpt-oss-120b-mantle-input-tokens-standard", "openai.gpt-oss-120b", "input_uncached", "default"),
        ("USE1-zai.glm5-mantle-output-tokens-priority", "zai.glm5", "output_text", "priority"),
        (
            "USW2-anthropic.claude-opus-4-8-mantle-cache-read-tokens-standard",
            "anthropic.claude-opus-4-8",
            "cache_read",
            "default",
        ),
        (
            "USE1-anthropic.claude-sonnet-5-mantle-cache-write-tokens-1h-standard",
            "anthropic.claude-sonnet-5",
            "cache_write_1h",
            "default",
        ),
        ("USE1-MP:USE1_InputTokenCount-Units", None, "input_uncached", "default"),
        ("USE1-MP:USE1_OutputTokenCount_Batch-Units", None, "output_text", "batch"),
        ("USE1-MP:USE1_CacheReadInputTokenCount-Units", None, "cache_read", "default"),
        ("USE1-MP:USE1_CacheWriteInputTokenCount-Units", None, "cache_write_5m", "default"),
        ("USE1-MP:USE1_CacheWrite1hInputTokenCount-Units", None, "cache_write_1h", "default"),
        ("USE1-MP:USE1_cache_write_tokens_1h_global_standard-Units", None, "cache_write_1h", "default"),
        ("USE1-MP:USE1_input_tokens_priority-Units", None, "input_uncached", "priority"),
        ("USE1-MP:USE1_InputTokenCount_LatencyOptimized-Units", None, "input_uncached", "latency-optimized"),
        ("APN1-MP:APN1_MillionBatchInputTokens-Units", None, "input_uncached", "batch"),
        ("NovaLite-input-tokens", "NovaLite", "input_uncached", "default"),
    ],
)
def test_words_mean_a_model_a_class_and_a_tier(usage_type: str, name: str | None, token_class: str, tier: str) -> None:
    found = meter(usage_type)
    assert (found.billing_name, found.token_class, found.service_tier) == (name, token_class, tier)
    region = re.match(r"[A-Z]{3}\d(?=-)", usage_type)
    assert found.region_code == (region[0] if region else None)
    assert found.variants == ()


@pytest.mark.parametrize(
    ("usage_type", "routing", "model"),
    [
        ("USE1-Claude4.6Opus-output-tokens", None, "anthropic.claude-opus-4-6-v1:0"),
        ("USE1-Claude4.6Opus-output-tokens-cross-region-global", "global", "global.anthropic.claude-opus-4-6-v1:0"),
        ("USE1-Claude4.5Haiku-input-token-count-global", "global", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("USW2-NovaPro-input-tokens-cross-region-geo", "geo", "amazon.nova-pro-v1:0"),
        ("USE1-Nova2.0Lite-input-tokens-cross-region-global-batch", "global", "global.amazon.nova-2-lite-v1:0"),
        ("USE1-xai.grok-4.3-mantle-input-tokens-standard", None, "xai.grok-4.3"),
        ("USE1-MP:USE1_InputTokenCount_Global_Batch-Units", "global", None),
    ],
)
def test_calls_routed_around_the_world_have_a_model_of_their_own(
    usage_type: str, routing: str | None, model: str | None
) -> None:
    assert (meter(usage_type).routing, meter(usage_type).model_id) == (routing, model)


@pytest.mark.parametrize(
    ("usage_type", "tier", "variants", "price_tier"),
    [
        ("USE1-Nova2.0Lite-output-tokens-custom-model", "default", ("custom-model",), "default+custom-model"),
        ("USW2-MP:USW2_input_tokens_long_ctx_standard-Units", "default", ("long-context",), "default+long-context"),
        ("USW2-MP:USW2_InputTokenCount_LCtx-Units", "default", ("long-context",), "default+long-context"),
        (
            "USE1-openai.gpt-6-sol-mantle-cache-write-tokens-5m-long-ctx-flex",
            "flex",
            ("long-context",),
            "flex+long-context",
        ),
        ("USE1-Qwen3-32B-input-tokens-something-new", None, ("new", "something"), None),
        ("USE1-Qwen3-32B-input-tokens-batch", "batch", (), "batch"),
        ("USE1-Qwen3-32B-input-tokens-batch-flex", None, (), None),
    ],
)
def test_prices_that_differ_have_names_that_differ_and_a_new_word_leaves_the_tier_unknown(
    usage_type: str, tier: str | None, variants: tuple[str, ...], price_tier: str | None
) -> None:
    found = meter(usage_type)
    assert (found.service_tier, found.variants, found.price_tier) == (tier, variants, price_tier)


@pytest.mark.parametrize(
    ("usage_type", "name", "routing"),
    [
        ("USE1-Nova2.0Lite-ProvisionedThroughput-NoCommit-ModelUnits", "Nova2.0Lite", None),
        ("USW2-MP:USW2_ProvisionedThroughput_6MonthsCommit_ModelUnits_Usage-Units", None, None),
        ("USE1-MP:USE1_Reserved_1Month_InputTPM_Geo-Units", None, "geo"),
        ("APN2-MP:APN2_Reserved_1Month_InputTPM_Global-Units", None, "global"),
    ],
)
def test_reserved_throughput_is_provisioned_and_of_no_token_class(
    usage_type: str, name: str | None, routing: str | None
) -> None:
    found = meter(usage_type)
    assert (found.service_tier, found.token_class) == ("provisioned", None)
    assert (found.billing_name, found.routing) == (name, routing)


@pytest.mark.parametrize(
    "usage_type",
    [
        "USE1-Nova2.0Omni-input-video-token-count",
        "USE1-Nova2.0Omni-input-image-token-count",
        "USE1-moonshotai.kimi-k3-mantle-cache-write-tokens-30m-standard",
    ],
)
def test_tokens_without_a_class_of_ours_keep_their_model_and_get_none(usage_type: str) -> None:
    assert meter(usage_type).token_class is None
    assert meter(usage_type).model_id


@pytest.mark.parametrize(
    "usage_type",
    [
        "",
        "-",
        "input-tokens",
        "USE1-input-tokens",
        "BoxUsage:p5.48xlarge",
        "USE1-DataTransfer-Out-Bytes",
        "USE1-cohere.rerank-english-v3-search-units",
        "USE1-Guardrail-AutomatedReasoningPolicyUnitsConsumed",
        "USE1-TitanEmbeddingsG1-Image-input-image",
        "USE1-Nova2.0Lite-Customization-Storage",
        "USE1-MP:USE1_search_units-Units",
        "USE1-MP:USE1_InputImageCount-Units",
        "USE1-MP:USE1_CacheStorage-Units",
    ],
)
def test_what_is_neither_tokens_nor_throughput_is_not_read(usage_type: str) -> None:
    assert read_usage_type(usage_type) is None


@pytest.mark.parametrize(
    ("unit", "tokens"),
    [
        ("1K tokens", 1_000),
        ("1k tokens", 1_000),
        ("1000 Tokens", 1_000),
        ("1M tokens", 1_000_000),
        ("1,000,000 tokens", 1_000_000),
        ("Million Input Tokens", 1_000_000),
        ("Million Batch Output Tokens", 1_000_000),
        ("Tokens", 1),
        ("Units", None),
        ("1B tokens", None),
        ("hour", None),
        ("1K TextUnits", None),
        ("", None),
    ],
)
def test_the_unit_of_a_line_says_how_many_tokens_it_is(unit: str, tokens: int | None) -> None:
    assert tokens_per_unit(unit) == tokens
    if "put" not in unit:  # the words of a marketplace's description are no unit of a price list
        assert tokens_in(unit) == tokens


@pytest.mark.parametrize(
    "names",
    [
        ("Claude4.6Sonnet", "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "anthropic.claude-sonnet-4-6"),
        ("Nova2.0Lite", "Nova 2 Lite", "Nova 2.0 Lite", "us.amazon.nova-2-lite-v1:0"),
        ("Llama3-1-70B", "Llama 3.1 70B", "meta.llama3-1-70b-instruct"),
        ("GPT-OSS-120B", "gpt-oss-120b", "openai.gpt-oss-120b"),
        ("Claude3.5Sonnetv2", "Claude 3.5 Sonnet v2"),
        ("Qwen3-32B", "Qwen3 32B", "qwen.qwen3-32b"),
    ],
)
def test_spellings_of_one_model_are_one_model(names: tuple[str, ...]) -> None:
    found = {model_id(name, None) for name in names}
    assert len(found) == 1
    assert found <= set(MODELS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Claude4.5Opus", "Claude5.5Opus"),
        ("Claude3.5Sonnet", "Claude3.5Sonnetv2"),
        ("Llama3-1-70B", "Llama3-3-70B"),
        ("Gemma-3-4B-IT", "Gemma-3-12B-IT"),
        ("GPT-6-Sol", "GPT-6.1-Sol"),
        ("Claude4.5Opus", "Claude Opus 5.4"),
    ],
)
def test_models_that_look_alike_stay_apart(one: str, other: str) -> None:
    assert model_id(one, None) != model_id(other, None)


def test_an_unknown_model_keeps_its_own_name() -> None:
    assert model_id("Nova9Ultra", None) == "Nova9Ultra"
    assert model_id("Palmyra X9 (Amazon Bedrock Edition)", "global") == "Palmyra X9"


@pytest.mark.parametrize("identifier", MODELS)
def test_every_known_model_is_in_the_price_book_under_its_own_identity(identifier: str) -> None:
    (row,) = identity_rows([("AWS", identifier)], {}).iter_rows(named=True)
    assert (row["provider_id"], row["identity_source"]) == ("aws", "genai-prices")
    stem = re.sub(r"^us\.|-v\d+(:\d+)?$|:\d+$", "", identifier)
    assert re.sub(r"^regional\.", "", row["model_id"]).startswith(stem)


def test_two_models_of_the_table_never_share_an_identity() -> None:
    found = identity_rows([("AWS", identifier) for identifier in MODELS], {})
    assert found["model_id"].n_unique() == len(MODELS)


def test_every_name_in_the_table_leads_to_its_model() -> None:
    for identifier, names in MODELS.items():
        assert {model_id(name, None) for name in names} == {identifier}


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="UE1-MP:_abcdeginoprtuzTC.0", max_size=60) | st.text(max_size=30))
def test_no_text_makes_it_stumble_and_every_class_is_one_of_ours(text: str) -> None:
    found = read_usage_type(text)
    tokens_per_unit(text)
    assert found is None or found.token_class in {*TOKEN_CLASSES, None}
