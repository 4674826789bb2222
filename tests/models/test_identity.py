"""Names in logs and on bills resolve to the book's models, or stay unknown."""

import pytest

from models.pricing import identity_rows


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
    ],
)
def test_a_name_means_the_model_of_the_list(provider, model, expected):
    assert resolved([(provider, model)]) == {(provider, model): (*expected, False, "genai-prices")}


def test_servers_that_the_company_runs_are_self_hosted_under_the_name_logged():
    assert resolved([("hosted_vllm", "meta-llama/Llama-3.3-70B")]) == {
        ("hosted_vllm", "meta-llama/Llama-3.3-70B"): ("self-hosted", "meta-llama/Llama-3.3-70B", True, "as-is")
    }


@pytest.mark.parametrize("pair", [("acme", "gpt-4o"), ("", "acme/thing"), ("openai", "")])
def test_what_matches_nothing_has_no_row_and_so_stays_unknown(pair):
    assert resolved([pair]) == {}


def test_a_model_that_no_list_knows_keeps_its_name_under_its_provider_so_that_bill_and_log_meet():
    as_is = ("openai", "gpt-99-unheard-of", False, "as-is")
    assert resolved([("OpenAI", "gpt-99-unheard-of"), ("openai", "gpt-99-unheard-of")]) == {
        ("OpenAI", "gpt-99-unheard-of"): as_is,
        ("openai", "gpt-99-unheard-of"): as_is,
    }


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
