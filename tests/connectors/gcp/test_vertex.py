"""Which model, class, tier and unit a SKU's description bills. The descriptions are Google's own."""

from decimal import Decimal

import pytest

from connectors.gcp.vertex import read_description
from tests.connectors.gcp.lines import credit, json_lines, line, parsed, rows

VERTEX = {"id": "C7E2-9256-1C43", "description": "Vertex AI"}


@pytest.mark.parametrize(
    ("description", "model", "token_class", "tier"),
    [
        ("Gemini 2.5 Pro Text Input - Predictions", "gemini-2.5-pro", "input_uncached", "default"),
        ("Gemini 2.5 Flash GA Text Output - Predictions", "gemini-2.5-flash", "output_text", "default"),
        ("Gemini 2.5 Flash GA Thinking Text Output - Predictions", "gemini-2.5-flash", "output_reasoning", "default"),
        ("Gemini 2.5 Flash Text Output (Thinking On) - Predictions", "gemini-2.5-flash", "output_text", "default"),
        ("Gemini 2.5 Flash Lite Text Input - Predictions", "gemini-2.5-flash-lite", "input_uncached", "default"),
        ("Gemini 2.5 Pro Input Text Caching (Long)", "gemini-2.5-pro", "cache_read", "default"),
        ("Gemini 3 Flash Text Input Caching", "gemini-3-flash", "cache_read", "default"),
        ("Gemini 3 Flash Text Input Caching Storage", "gemini-3-flash", None, "default"),
        ("Gemini 3.0 Pro Text Output - Predictions", "gemini-3-pro", "output_text", "default"),
        ("Gemini 2.0 Flash Audio Input - Predictions", "gemini-2.0-flash", "input_audio", "default"),
        ("Gemini 2.5 Flash Audio Input Caching", "gemini-2.5-flash", None, "default"),
        ("Gemini 3.5 Flash Global Text Output - Predictions", "gemini-3.5-flash", "output_text", "default"),
        ("Gemini 2.5 Flash Text Input - Batch Predictions", "gemini-2.5-flash", "input_uncached", "batch"),
        ("Gemini 3 Flash Text Input Caching Flex", "gemini-3-flash", "cache_read", "flex"),
        ("Gemini 3 Flash Text Output Priority - Predictions", "gemini-3-flash", "output_text", "priority"),
        ("Generate content input token count gemini 3.5 flash text", "gemini-3.5-flash", "input_uncached", "default"),
        (
            "Generate content cached input token count gemini 3.5 flash text",
            "gemini-3.5-flash",
            "cache_read",
            "default",
        ),
        ("Gemini 2.5 Flash Image Input - Predictions", "gemini-2.5-flash", "input_uncached", "default"),
        ("Claude Sonnet 4.5 Input Tokens", "claude-sonnet-4-5", "input_uncached", "default"),
        ("Claude 3.5 Sonnet Cache Write Tokens", "claude-3-5-sonnet", "cache_write_5m", "default"),
        ("Claude Opus 4.1 Cache Read Tokens", "claude-opus-4-1", "cache_read", "default"),
        ("Claude Haiku 4.5 Batch Output Tokens", "claude-haiku-4-5", "output_text", "batch"),
        ("Gemini Embedding 001 Text Input", "gemini-embedding-001", "input_uncached", "default"),
    ],
)
def test_a_description_is_a_model_a_class_and_a_tier(description, model, token_class, tier) -> None:
    found = read_description(description, "count")
    assert (found.model_id, found.token_class, found.service_tier) == (model, token_class, tier)


@pytest.mark.parametrize(
    "description",
    ["Grounding with Google Search on Gemini 3", "Veo Generation 720p with Audio", "Vertex AI Training on A100"],
)
def test_what_bills_no_tokens_has_no_token_class(description: str) -> None:
    assert read_description(description, "count").token_class is None


def test_provisioned_throughput_is_a_tier_and_no_tokens() -> None:
    found = read_description("Provisioned Throughput Gemini 2.5 Pro - 1 month commitment", "hour")
    assert (found.model_id, found.token_class, found.service_tier, found.unit) == (
        "gemini-2.5-pro",
        None,
        "provisioned",
        "hour",
    )
    (row,) = rows([json_lines(line(service=VERTEX, sku="Provisioned Throughput Gemini 2.5 Pro"))])
    assert (row["x_purchase_option"], row["x_service_tier"]) == ("provisioned", "provisioned")


@pytest.mark.parametrize(
    ("description", "unit"), [("Gemini 1.5 Flash Text Input - Predictions", "count"), ("Gemini 2.5 Pro", "k{char}")]
)
def test_characters_are_no_tokens(description: str, unit: str) -> None:
    found = read_description(description, unit)
    assert (found.token_class, found.unit) == (None, "Characters")


def test_long_contexts_and_images_are_of_a_class_and_have_another_price() -> None:
    found = read_description("Gemini 2.5 Pro Text Input (Long) - Predictions", "count")
    assert (found.token_class, found.is_plain, found.is_long_context) == ("input_uncached", True, True)
    found = read_description("Gemini 2.5 Pro Image Input - Predictions", "count")
    assert (found.token_class, found.is_plain, found.is_long_context) == ("input_uncached", False, False)


def test_a_description_that_no_table_knows_is_told_and_left_open() -> None:
    chunks = parsed([json_lines(line(service=VERTEX, sku="Gemini 2.5 Pro Telepathy", usage={"unit": "count"}))])
    (row,) = [r for chunk in chunks for r in chunk.rows.to_pylist()]
    assert (row["x_model_id"], row["x_token_class"]) == ("gemini-2.5-pro", None)
    assert "1 SKU descriptions name a model and could not be placed: 'Gemini 2.5 Pro Telepathy'" in chunks[-1].notices


def test_a_credit_on_tokens_is_of_their_class_and_has_no_quantity() -> None:
    tokens = line(service=VERTEX, sku="Gemini 2.5 Pro Text Input - Predictions", usage={"unit": "count"})
    chunks = parsed([json_lines({**tokens, "credits": [credit("PROMOTION", -1.0)]})])
    (_, row) = [r for chunk in chunks for r in chunk.rows.to_pylist()]
    said = [row[name] for name in ("billed_cost", "x_token_class", "consumed_quantity", "consumed_unit")]
    assert said == [-1, "input_uncached", None, None]
    assert not any("could not be placed" in notice for notice in chunks[-1].notices)


def test_a_separator_inside_a_text_blocks_no_month() -> None:
    """A control character in a description is a bill's own, and the model is read all the same."""
    sku = "Gemini 2.5 Pro Text\x1fInput - Predictions"
    odd = line(service={"id": "0", "description": "Compute\x1fEngine"})
    found = rows([json_lines(line(service=VERTEX, sku=sku, usage={"unit": "count"}), odd, line())])
    assert [row["billed_cost"] for row in found] == [Decimal("9.8")] * 3
    assert (found[0]["x_model_id"], found[0]["x_token_class"]) == ("gemini-2.5-pro", "input_uncached")
    assert found[0]["sku_meter"] == sku


def test_a_model_s_name_in_another_service_is_no_model() -> None:
    (row,) = rows([json_lines(line(sku="Gemini 2.5 Pro Text Input"))])
    assert (row["x_model_id"], row["x_service_tier"]) == (None, None)
