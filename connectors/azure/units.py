"""Azure's units of measure: `1K`, `100 Hours`, `1 GB/Month`: how many of what one unit is.

Here belongs: the words and the factor, in Python and in SQL. Here does not belong: quantities.
"""

import re
from collections.abc import Mapping

_SIZES: Mapping[str, int] = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_UNIT = re.compile(r"\s*(\d{1,9})\s?([KMB]?)(?![A-Za-z])\s*(.*)", re.IGNORECASE | re.DOTALL)
_WORDS: Mapping[str, str] = {
    "": "Units",
    "hour": "Hours",
    "hours": "Hours",
    "hr": "Hours",
    "day": "Days",
    "month": "Months",
    "minute": "Minutes",
    "second": "Seconds",
    "token": "Tokens",
    "tokens": "Tokens",
    "image": "Images",
}


def read_unit(measure: str, bare: str = "Units") -> tuple[int, str]:
    """How many units one unit of measure is, and of what, in FOCUS words.

    Args:
        measure: As the bill or the price list writes it.
        bare: What is counted where the measure names nothing, as `1K` does.
    """
    found = _UNIT.fullmatch(measure)
    if found is None:
        return 1, measure.strip() or bare
    number, size, rest = found.groups()
    return int(number) * _SIZES[size.upper()], _words(rest.strip(), bare)


def pricing_unit(measure: str, bare: str = "Units") -> str:
    """The unit that is priced: `1000 Tokens`, `100 Hours`, `Hours`."""
    factor, unit = read_unit(measure, bare)
    return unit if factor == 1 else f"{factor} {unit}"


def factor_sql(measure: str) -> str:
    """SQL of the factor of `read_unit` for the text expression `measure`, as DECIMAL(18,0)."""
    pattern = r"^\s*(\d{1,9})\s?([KMBkmb]?)([^A-Za-z]|$)"
    number = f"regexp_extract({measure}, '{pattern}', 1)"
    size = f"upper(regexp_extract({measure}, '{pattern}', 2))"
    plain = f"regexp_extract({measure}, '^\\s*(\\d{{1,9}})', 1)"
    thousand = " ".join(f"when '{word}' then {value}" for word, value in _SIZES.items() if word)
    return (
        f"coalesce(try_cast(nullif({number}, '') as decimal(9, 0)) * case {size} {thousand} else 1 end, "
        f"try_cast(nullif({plain}, '') as decimal(9, 0)), 1)"
    )


def _words(rest: str, bare: str) -> str:
    """`GB/Month` and `GB Hour` are GB-Months and GB-Hours; `/Month` is a unit for a month."""
    thing, slash, span = rest.partition("/")
    if not slash and " " in rest:
        thing, _, span = rest.rpartition(" ")
    if not span:
        return _WORDS.get(thing.strip().lower(), thing.strip()) or bare if thing.strip() else bare
    left = thing.strip() or bare.removesuffix("s")
    return f"{left}-{_WORDS.get(span.strip().lower(), span.strip())}"
