"""Meters of Azure's model services: real names, and what they mean."""

import pytest

from connectors.azure.openai_meters import Meter, is_model_service, read_meter
from connectors.azure.units import pricing_unit, read_unit
from models.identity import identity_rows

METERS = {
    "gpt-4o 1120 Inp glbl Tokens": ("gpt-4o-2024-11-20", "input_uncached", "default", "Global"),
    "gpt 4.1 cached Inp glbl Tokens": ("gpt-4.1", "cache_read", "default", "Global"),
    "gpt 4.1 mini Outp glbl Tokens": ("gpt-4.1-mini", "output_text", "default", "Global"),
    "gpt 4o 1120 Batch Inp Data Zone Tokens": ("gpt-4o-2024-11-20", "input_uncached", "batch", "Data Zone"),
    "gpt-4o-mini-0718-Outp-glbl Tokens": ("gpt-4o-mini-2024-07-18", "output_text", "default", "Global"),
    "GPT 5 Mini cchd Inpt Glbl 1M Tokens": ("gpt-5-mini", "cache_read", "default", "Global"),
    "GPT 5 Mini outpt Glbl 1M Tokens": ("gpt-5-mini", "output_text", "default", "Global"),
    "5.4 inp Gl 1M Tokens": ("gpt-5.4", "input_uncached", "default", "Global"),
    "5.4 cd inp Gl": ("gpt-5.4", "cache_read", "default", "Global"),
    "5.4 opt Gl": ("gpt-5.4", "output_text", "default", "Global"),
    "5.3 codex opt Gl 1M Tokens": ("gpt-5.3-codex", "output_text", "default", "Global"),
    "6-sol ShortCo Cd Wr Std Gl": ("gpt-6-sol", "cache_write_5m", "default", "Global"),
    "5.6 sol ShortCo Cd Inp Std Gl 1M Tokens": ("gpt-5.6-sol", "cache_read", "default", "Global"),
    "GPT 5.1 PP opt Gl 1M Tokens": ("gpt-5.1", "output_text", "priority", "Global"),
    "o3 0416 Inp regnl": ("o3-2025-04-16", "input_uncached", "default", "Regional"),
    "GPT-35-turbo-16k-0125 Inp regnl": ("gpt-3.5-turbo-16k", "input_uncached", "default", "Regional"),
    "Embedding-Ada Tokens": ("text-embedding-ada-002", "input_uncached", "default", None),
    "text-embedding-3-large-glbl Tokens": ("text-embedding-3-large", "input_uncached", "default", "Global"),
    "gpt aud 0828 Inp glbl Tokens": ("gpt-audio", "input_audio", "default", "Global"),
    "gpt aud 0828 txt Outp glbl Tokens": ("gpt-audio", "output_text", "default", "Global"),
    "gpt rt aud mini Outp glbl Tokens": ("gpt-realtime-mini", "output_audio", "default", "Global"),
    "gpt rt aud mini cchd Inp glbl Tokens": ("gpt-realtime-mini", "cache_read", "default", "Global"),
    "gpt-oss-120B Outp glbl Tokens": ("gpt-oss-120b", "output_text", "default", "Global"),
    "gpt-image-1-output-img-glbl Tokens": ("gpt-image-1", None, "default", "Global"),
    "Provisioned Managed Global Unit": (None, None, "provisioned", "Global"),
    "Provisioned Managed Data Zone Unit": (None, None, "provisioned", "Data Zone"),
    "Provisioned Managed Regional Unit": (None, None, "provisioned", "Regional"),
}


@pytest.mark.parametrize(("name", "expected"), METERS.items())
def test_a_meter_means_a_model_a_class_a_tier_and_a_reach(name: str, expected: tuple[str | None, ...]) -> None:
    found = read_meter(name)
    assert (found.model, found.token_class, found.tier, found.scope) == expected


@pytest.mark.parametrize(
    ("name", "product", "model"),
    [
        ("V4 Pro cached DZ Tokens", "Azure Deepseek Models", "deepseek-v4-pro"),
        ("4.7 Inp glbl Tokens", "Azure Grok Models", "grok-4.7"),
        ("grok 4.7 Inp glbl Tokens", "Azure Grok Models", "grok-4.7"),
    ],
)
def test_the_product_tells_the_family_where_the_meter_does_not(name: str, product: str, model: str) -> None:
    assert read_meter(name, product).model == model


@pytest.mark.parametrize(
    "name", ["o4-mini 0416 FT Training glbl", "gpt-4o-mini-ft-hosting Unit", "4.1 RFT grader inp", "", "Tokens"]
)
def test_fine_tuning_and_empty_names_are_no_model(name: str) -> None:
    assert read_meter(name).model is None
    assert read_meter(name).token_class is None


def test_a_long_context_is_told_apart() -> None:
    assert read_meter("5.6 sol LongCo Inp Std Gl 1M Tokens") == Meter(
        "gpt-5.6-sol", "input_uncached", "default", "Global", is_long_context=True
    )


@pytest.mark.parametrize("model", sorted({found[0] for found in METERS.values() if found[0]}))
def test_the_price_book_knows_the_models_under_azure(model: str) -> None:
    (found,) = identity_rows([("Microsoft", model)], {}).rows(named=True)
    assert found["provider_id"] == "azure"


def test_only_model_services_are_read_as_such() -> None:
    assert is_model_service("Foundry Models", "")
    assert is_model_service("Cognitive Services", "Azure OpenAI")
    assert not is_model_service("Cognitive Services", "Speech")
    assert not is_model_service("Virtual Machines", "")


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("1 Hour", (1, "Hours")),
        ("100 Hours", (100, "Hours")),
        ("1K", (1_000, "Tokens")),
        ("1M", (1_000_000, "Tokens")),
        ("1B", (1_000_000_000, "Tokens")),
        ("1 MB", (1, "MB")),
        ("10 GB/Month", (10, "GB-Months")),
        ("Hours", (1, "Hours")),
        ("", (1, "Tokens")),
    ],
)
def test_units_of_measure_are_a_factor_and_a_unit(measure: str, expected: tuple[int, str]) -> None:
    assert read_unit(measure, "Tokens") == expected


def test_a_priced_unit_names_its_size() -> None:
    assert (pricing_unit("1M", "Tokens"), pricing_unit("1 Hour")) == ("1000000 Tokens", "Hours")
