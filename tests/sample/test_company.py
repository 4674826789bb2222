from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price

from sample.company import MODELS, OWNERS, WORKLOADS
from sample.list_prices import USD_PER_MTOK, USD_PER_TOKEN

MID_OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
USAGE_OF = {
    "input_uncached": {"input_tokens": 1000},
    "cache_read": {"input_tokens": 1000, "cache_read_tokens": 1000},
    "cache_write_5m": {"input_tokens": 1000, "cache_write_tokens": 1000},
    "output_text": {"output_tokens": 1000},
}


@pytest.mark.parametrize("model", USD_PER_MTOK)
def test_prices_are_those_of_an_independent_price_list_in_october_2026(model):
    provider = "anthropic" if model.startswith("claude") else "openai"
    for token_class, tokens in USAGE_OF.items():
        if token_class in USD_PER_MTOK[model]:
            listed = calc_price(
                Usage(**tokens), model_ref=model, provider_id=provider, genai_request_timestamp=MID_OCTOBER
            )
            assert listed.total_price == USD_PER_TOKEN[model][token_class] * 1000


def test_the_unregistered_alias_has_no_price_anywhere():
    with pytest.raises(LookupError):
        calc_price(Usage(input_tokens=1), model_ref=MODELS["prototype"].name, provider_id="openai")
    assert MODELS["prototype"].name not in USD_PER_TOKEN


def test_a_price_per_token_is_exact():
    assert USD_PER_TOKEN["gpt-5-mini"]["cache_read"] == Decimal("0.000000025")
    assert USD_PER_TOKEN["gpt-5"]["output_reasoning"] == USD_PER_TOKEN["gpt-5"]["output_text"] == Decimal("0.00001")


def test_every_workload_calls_a_known_model_and_every_rule_has_its_own_id():
    assert {workload.model for workload in WORKLOADS} == MODELS.keys()
    assert len({rule.rule_id for rule in OWNERS}) == len(OWNERS)
