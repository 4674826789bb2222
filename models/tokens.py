"""The exclusive token classes: their names, and which class's price applies where one has none of its own.

Here belongs: what is true of tokens whoever counts or prices them, and what units of them are called. Here does not
belong: prices, usage.
"""

import re
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


_UNIT = re.compile(r"(?:per )?([\d,]*)[ -]?(k|m|thousand|million)?[ -]?(tokens?|count)?", re.IGNORECASE)
_SCALE: Mapping[str, int] = {"": 1, "k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}


def tokens_in(unit: str) -> int | None:
    """How many tokens a unit of a price list or bill is, such as `1K tokens`, `1000 Tokens`, `1M` or `Tokens`.

    None when the words do not say: a bare number is no unit, and neither is a unit of something else.
    """
    found = _UNIT.fullmatch(unit.strip())
    if found is None or not (found[2] or found[3]):
        return None
    number = found[1].replace(",", "")
    count = int(number) if number else 1
    return count * _SCALE[(found[2] or "").lower()] or None
