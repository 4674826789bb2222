"""The exclusive token classes: their names, and which class's price applies where one has none of its own.

Here belongs: what is true of token classes whoever counts or prices them. Here does not belong: prices, usage.
"""

from collections.abc import Mapping
from typing import Literal, get_args

TokenClass = Literal[
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "input_audio",
    "output_text",
    "output_reasoning",
    "output_audio",
]

TOKEN_CLASSES: tuple[str, ...] = get_args(TokenClass)
"""Every token is counted in exactly one of these."""

PRICE_FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "cache_read": ("input_uncached",),
    "cache_write_5m": ("input_uncached",),
    "cache_write_1h": ("cache_write_5m", "input_uncached"),
    "input_audio": ("input_uncached",),
    "output_reasoning": ("output_text",),
    "output_audio": ("output_text",),
}
"""Classes whose price applies, nearest first, where a class has no price of its own.

The rule is that of genai-prices: tokens of an unpriced class belong to the nearest priced class that contains them.
"""


def column_of(token_class: str) -> str:
    """The column of a usage table that counts the class."""
    return f"{token_class}_tokens"
