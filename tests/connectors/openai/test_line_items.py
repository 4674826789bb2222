"""What a line item says is read; what no rule knows keeps its words."""

import pytest

from connectors.openai.line_items import charge_category, read_line_item
from models.identity import identity_rows


@pytest.mark.parametrize(
    ("words", "model", "token_class", "tier", "meter"),
    [
        ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06", "input_uncached", None, "input"),
        ("gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06", "cache_read", None, "cached input"),
        ("gpt-4o-2024-08-06, output", "gpt-4o-2024-08-06", "output_text", None, "output"),
        ("gpt-4o-mini-2024-07-18, input, batch", "gpt-4o-mini-2024-07-18", "input_uncached", "batch", "input"),
        ("gpt-6-astra, input_tokens", "gpt-6-astra", "input_uncached", None, "input_tokens"),
        ("gpt-6-astra, output_tokens", "gpt-6-astra", "output_text", None, "output_tokens"),
        ("gpt-6-astra, cached_input_tokens", "gpt-6-astra", "cache_read", None, "cached_input_tokens"),
        ("gpt-6-astra, input_cached_tokens", "gpt-6-astra", "cache_read", None, "input_cached_tokens"),
        ("gpt-6-astra, cache writes", "gpt-6-astra", "cache_write_5m", None, "cache writes"),
        (
            "gpt-6-astra, input_cache_write_12h_tokens",
            "gpt-6-astra",
            "cache_write_1h",
            None,
            "input_cache_write_12h_tokens",
        ),
        (
            "gpt-6-astra, input_cache_write_30m_tokens",
            "gpt-6-astra",
            "cache_write_5m",
            None,
            "input_cache_write_30m_tokens",
        ),
        ("gpt-6-astra, reasoning_tokens", "gpt-6-astra", "output_reasoning", None, "reasoning_tokens"),
        ("priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol", "output_text", "priority", "output"),
        ("flex | gpt-5.6-sol, input", "gpt-5.6-sol", "input_uncached", "flex", "input"),
        ("evals | gpt-4o-mini, input", "gpt-4o-mini", "input_uncached", None, "input"),
        ("priority | evals | gpt-4o-mini, input", "gpt-4o-mini", "input_uncached", "priority", "input"),
        ("gpt-audio-mini-2025-12-15 audio, input", "gpt-audio-mini-2025-12-15", "input_audio", None, "audio, input"),
        ("gpt-audio-mini-2025-12-15 audio, output", "gpt-audio-mini-2025-12-15", "output_audio", None, "audio, output"),
        ("gpt-audio-mini-2025-12-15 text, output", "gpt-audio-mini-2025-12-15", "output_text", None, "text, output"),
        ("gpt-audio-mini, audio input", "gpt-audio-mini", "input_audio", None, "audio input"),
        ("gpt-image-2.5-flare image, output", "gpt-image-2.5-flare", "output_text", None, "image, output"),
        ("gpt-image-2.5-flare audio, cached input", "gpt-image-2.5-flare", "cache_read", None, "audio, cached input"),
        ("ft-gpt-4o-2024-08-06, output", "ft:gpt-4o-2024-08-06", "output_text", None, "output"),
        ("text-embedding-3-small, input", "text-embedding-3-small", "input_uncached", None, "input"),
    ],
)
def test_a_line_that_bills_tokens_names_model_class_and_tier(
    words: str, model: str, token_class: str, tier: str | None, meter: str
) -> None:
    item = read_line_item(words)
    assert (item.model, item.token_class, item.service_tier, item.meter, item.is_known) == (
        model,
        token_class,
        tier,
        meter,
        True,
    )
    (found,) = identity_rows([("OpenAI", model)], {}).rows(named=True)
    assert found["provider_id"] == "openai", "the model of a bill meets the price book's"


@pytest.mark.parametrize(
    "words",
    [
        "web search tool calls",
        "assistants api | file search",
        "code interpreter sessions",
        "Vector storage",
        "gpt-4o-2024-08-06, training",
        "Fine-tuning models",
        "whisper-1, audio",
        "tts-1, characters",
        "Image models",
        "dall-e-3, 1024x1024",
        "Scale Tier",
        "Data residency uplift",
        "Promotional credit",
    ],
)
def test_a_service_names_no_model_and_keeps_its_words(words: str) -> None:
    item = read_line_item(words)
    assert (item.model, item.token_class, item.meter, item.is_known) == (None, None, words, True)


@pytest.mark.parametrize("words", ["gpt-4o", "input_tokens", "something, else", ", input", "", " | ", "a,b,c", None])
def test_what_no_rule_reads_is_said_to_be_unknown(words: str | None) -> None:
    item = read_line_item(words)
    assert (item.model, item.token_class, item.is_known) == (None, None, False)


def test_what_else_a_line_says_is_kept() -> None:
    assert read_line_item("priority | gpt-5.6-sol, output, long context").context == "long context"
    assert read_line_item("evals | gpt-4o-mini, input").surface == "evals"
    assert read_line_item("priority | gpt-4o-mini, input").surface is None


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("gpt-4o, input", "Usage"),
        ("Promotional credit", "Credit"),
        ("credits granted", "Credit"),
        ("Refund for outage", "Adjustment"),
        ("VAT", "Tax"),
        ("taxonomy model, input", "Usage"),
        (None, "Usage"),
    ],
)
def test_the_category_is_usage_unless_the_words_say_otherwise(words: str | None, category: str) -> None:
    assert charge_category(words) == category
