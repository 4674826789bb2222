"""A self-hosted engine that a gateway logs as OpenAI is told from OpenAI by its address."""

import pytest

from connectors.logs.attempt import Attempt, staged_row
from connectors.logs.own_address import provider_at
from contracts.words import OWN_ADDRESS


@pytest.mark.parametrize(
    "api_base",
    [
        "http://vllm.inference.svc.cluster.local:8000/v1",
        "http://vllm.inference.svc:8000/v1",
        "https://llama.corp.internal/v1",
        "http://10.20.0.7:8000/v1",
        "http://[fd00::7]:8000/v1",
        "http://vllm:8000/v1",
        "vllm.lan:8000",
    ],
)
@pytest.mark.parametrize("provider", ["openai", "custom_openai", "OpenAI"])
def test_openai_s_dialect_at_an_address_of_the_own_network_is_no_word_of_openai(provider: str, api_base: str) -> None:
    assert provider_at(provider, api_base) == OWN_ADDRESS


@pytest.mark.parametrize(
    ("provider", "api_base"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("openai", None),
        ("openai", ""),
        ("openai", "http://localhost:4000"),
        ("openai", "http://127.0.0.1:9901/v1"),
        ("openai", "https://gateway.example.com/v1"),
        ("openai", "http://8.8.8.8/v1"),
        ("openai", "http://[broken/v1"),
        ("hosted_vllm", "http://10.20.0.7:8000/v1"),
        ("azure", "https://llm.corp.internal"),
        (None, "http://10.20.0.7:8000/v1"),
    ],
)
def test_everything_else_keeps_the_provider_that_the_log_names(provider: str | None, api_base: str | None) -> None:
    assert provider_at(provider, api_base) == provider


def test_the_staged_attempt_names_the_own_service() -> None:
    attempt = Attempt("a", 0, "success", provider="openai", api_base="http://vllm.inference.svc:8000/v1")
    assert staged_row(attempt, None, [])["provider"] == OWN_ADDRESS
