"""Names in logs and on bills resolve to the book's models, or stay unknown."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from genai_prices.data import providers
from genai_prices.data_snapshot import get_snapshot

from contracts.words import OWN_ADDRESS
from models.pricing import identity_rows

RECORDINGS = Path(__file__).resolve().parents[2] / "../shared/data/provider_usage_bodies/usages_every_fifth.json"


def resolved(pairs, overrides=None):
    return {row[:2]: row[2:] for row in identity_rows(pairs, overrides or {}).iter_rows()}


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o-2024-08-06", ("openai", "gpt-4o")),
        ("OpenAI", "GPT-4o", ("openai", "gpt-4o")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("", "gpt-4o", ("openai", "gpt-4o")),
        ("", "azure/gpt-4o", ("azure", "gpt-4o")),
        ("azure", "gpt-4o", ("azure", "gpt-4o")),
        ("Azure OpenAI", "gpt-4o", ("azure", "gpt-4o")),
        ("Microsoft", "claude-sonnet-4-5", ("azure", "claude-sonnet-4-5")),
        ("Anthropic", "claude-sonnet-4-5-20250929", ("anthropic", "claude-sonnet-4-5")),
        (
            "Amazon Web Services",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        (
            "bedrock",
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            ("aws", "regional.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ),
        ("vertex_ai", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("x_ai", "grok-4", ("x-ai", "grok-4-0709")),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc", ("openai", "ft:gpt-4o-mini")),
        ("openai", "gpt-5-20250807", ("openai", "gpt-5")),
        ("openrouter", "openrouter/anthropic/claude-sonnet-4.5", ("openrouter", "anthropic/claude-sonnet-4.5")),
    ],
)
def test_a_name_means_the_model_of_the_list(provider, model, expected):
    assert resolved([(provider, model)]) == {(provider, model): (*expected, False, "genai-prices")}


HAIKU = ("aws", "regional.anthropic.claude-3-haiku-20240307-v1:0")
SONNET = ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0")
GEMINI, CLAUDE = ("google", "gemini-2.5-pro"), ("google", "claude-sonnet-4-5")


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", HAIKU),
        ("bedrock", "eu.anthropic.claude-3-haiku-20240307-v1:0", HAIKU),
        ("bedrock", "bedrock/us-east-1/anthropic.claude-3-haiku-20240307-v1:0", HAIKU),
        ("", "bedrock/us-east-1/anthropic.claude-3-haiku-20240307-v1:0", HAIKU),
        ("", "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", HAIKU),
        ("aws.bedrock", "jp.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        (
            "bedrock_converse",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            SONNET,
        ),
        (
            "bedrock",
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ("aws", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ),
        ("vertex_ai", "publishers/google/models/gemini-2.5-pro", GEMINI),
        ("", "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro", GEMINI),
        ("gemini", "models/gemini-2.5-pro", GEMINI),
        ("", "models/gemini-2.5-pro", GEMINI),
        ("vertex_ai", "gemini-2.5-pro@001", GEMINI),
        ("gcp.gen_ai", "gemini-2.5-pro", GEMINI),
        ("vertex_ai-language-models", "gemini-2.5-pro", GEMINI),
        ("vertex_ai-anthropic_models", "claude-sonnet-4-5@20250929", CLAUDE),
        ("", "publishers/anthropic/models/claude-sonnet-4-5@20250929", CLAUDE),
        ("azure", "azure/eu/gpt-4o-2024-08-06", ("azure", "gpt-4o")),
        ("az.ai.openai", "gpt-4o", ("azure", "gpt-4o")),
        ("azure.ai.inference", "gpt-35-turbo", ("azure", "gpt-3.5-turbo")),
    ],
)
def test_a_cloud_s_own_name_for_a_model_means_the_model_that_the_cloud_sells(provider, model, expected):
    assert resolved([(provider, model)]) == {(provider, model): (*expected, False, "genai-prices")}


def test_a_deployment_s_name_is_a_model_only_by_configuration():
    overrides = {("azure", "chat-prod"): (None, "gpt-4o", False)}
    assert resolved([("azure", "chat-prod")], overrides) == {
        ("azure", "chat-prod"): ("azure", "gpt-4o", False, "configuration")
    }
    assert resolved([("azure", "chat-prod")]) == {("azure", "chat-prod"): ("azure", "chat-prod", False, "as-is")}


def test_an_inference_profile_that_names_no_model_stays_whole():
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    assert resolved([("bedrock", profile)]) == {("bedrock", profile): ("aws", profile, False, "as-is")}


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("hosted_vllm", "hosted_vllm/meta-llama/Llama-3.3-70B"),
        ("", "hosted_vllm/meta-llama/Llama-3.3-70B"),
        ("vLLM", "meta-llama/Llama-3.3-70B"),
        ("ray_serve", "meta-llama/Llama-3.3-70B"),
        ("nim", "meta-llama/Llama-3.3-70B"),
        (OWN_ADDRESS, "meta-llama/Llama-3.3-70B"),
        (OWN_ADDRESS, "openai/meta-llama/Llama-3.3-70B"),
    ],
)
def test_one_model_on_own_servers_is_one_identity_however_it_is_called(provider, model):
    assert resolved([(provider, model)]) == {
        (provider, model): ("self-hosted", "meta-llama/Llama-3.3-70B", True, "as-is")
    }


def test_a_model_that_only_openai_sells_is_openai_s_even_through_an_own_address():
    assert resolved([(OWN_ADDRESS, "gpt-4o")]) == {(OWN_ADDRESS, "gpt-4o"): ("openai", "gpt-4o", False, "genai-prices")}


def test_every_model_of_the_list_is_itself():
    listed = {(provider.id, model.id) for provider in providers for model in provider.models}
    assert len(listed) > 2000
    assert {pair: found[:2] for pair, found in resolved(listed).items()} == {pair: pair for pair in listed}


def test_every_model_that_answered_in_the_recordings_is_what_the_list_itself_says():
    if not RECORDINGS.is_file():
        pytest.skip("the usage bodies of real providers are not beside this checkout")
    pairs = {("", sample["model"]) for sample in recorded()} | {
        (user["provider_id"], sample["model"])
        for sample in recorded()
        for found in sample["extracted"]
        for user in found["extractors"]
    }
    expected = {}
    for provider_id, name in pairs:
        with suppress(LookupError):
            provider, model = get_snapshot().find_provider_model(name, None, provider_id or None, None)
            expected[provider_id, name] = (provider.id, model.id, False, "genai-prices")
    assert len(expected) == 152
    found = resolved(pairs)
    assert {pair: found.get(pair) for pair in expected} == expected


def recorded():
    return [sample for sample in json.loads(RECORDINGS.read_text()) if "model" in sample]


def test_servers_that_the_company_runs_are_self_hosted_under_the_name_logged():
    assert resolved([("hosted_vllm", "meta-llama/Llama-3.3-70B")]) == {
        ("hosted_vllm", "meta-llama/Llama-3.3-70B"): ("self-hosted", "meta-llama/Llama-3.3-70B", True, "as-is")
    }


@pytest.mark.parametrize("pair", [("acme", "gpt-4o"), ("", "acme/thing"), ("openai", "")])
def test_what_matches_nothing_has_no_row_and_so_stays_unknown(pair):
    assert resolved([pair]) == {}


def test_a_model_that_no_list_knows_keeps_its_name_under_its_provider_so_that_bill_and_log_meet():
    names = [("OpenAI", "gpt-99-unheard-of"), ("openai", "gpt-99-unheard-of"), ("openai", "openai/gpt-99-unheard-of")]
    assert resolved(names) == dict.fromkeys(names, ("openai", "gpt-99-unheard-of", False, "as-is"))


def test_configuration_comes_first_for_its_pair_and_with_an_empty_provider_for_every_provider():
    overrides = {
        ("openai", "gpt-4o"): ("azure", "gpt-4.1", False),
        ("", "house-model"): (None, "llama-70b", True),
        ("openai", "alias"): (None, "gpt-4o", False),
        ("acme", "alias"): (None, "thing", False),
    }
    pairs = [("openai", "gpt-4o"), ("x", "house-model"), (None, "house-model"), ("openai", "alias"), ("acme", "alias")]
    assert resolved(pairs, overrides) == {
        ("openai", "gpt-4o"): ("azure", "gpt-4.1", False, "configuration"),
        ("x", "house-model"): ("self-hosted", "llama-70b", True, "configuration"),
        ("", "house-model"): ("self-hosted", "llama-70b", True, "configuration"),
        ("openai", "alias"): ("openai", "gpt-4o", False, "configuration"),
    }


def test_names_that_come_twice_have_one_row():
    assert identity_rows([("openai", "gpt-4o")] * 3 + [(None, None)], {}).height == 1
