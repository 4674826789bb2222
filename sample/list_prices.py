"""What the providers list for the models behind the gateway, in USD.

Published for October 2026, read on 2026-11-21.
"""

from decimal import Decimal

USD_PER_MTOK: dict[str, dict[str, str]] = {
    "gpt-5": {"input_uncached": "1.25", "cache_read": "0.125", "output_text": "10"},
    "gpt-5-mini": {"input_uncached": "0.25", "cache_read": "0.025", "output_text": "2"},
    "gpt-5-nano": {"input_uncached": "0.05", "cache_read": "0.005", "output_text": "0.4"},
    "claude-sonnet-4-5": {
        "input_uncached": "3",
        "cache_read": "0.3",
        "cache_write_5m": "3.75",
        "cache_write_1h": "6",
        "output_text": "15",
    },
    "claude-opus-4-5": {
        "input_uncached": "5",
        "cache_read": "0.5",
        "cache_write_5m": "6.25",
        "cache_write_1h": "10",
        "output_text": "25",
    },
    "claude-haiku-4-5": {
        "input_uncached": "1",
        "cache_read": "0.1",
        "cache_write_5m": "1.25",
        "cache_write_1h": "2",
        "output_text": "5",
    },
}


def _per_token(prices: dict[str, str]) -> dict[str, Decimal]:
    exact = {token_class: Decimal(price).scaleb(-6) for token_class, price in prices.items()}
    return {**exact, "output_reasoning": exact["output_text"]}  # reasoning is billed as output


USD_PER_TOKEN = {model: _per_token(prices) for model, prices in USD_PER_MTOK.items()}
