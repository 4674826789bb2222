"""Values as bills write them, read exactly: decimal numbers, instants, tags. Whole columns at once.

The fast way takes what nearly every value looks like; only the distinct values that it refuses go one by one.
Numbers never pass through binary floating point.
"""

from dataclasses import dataclass

import orjson
import polars as pl

from connectors.exact import at_scale, read_decimal, read_time

MONEY = pl.Decimal(38, 12)
_EXACT = r"^[+-]?[0-9]{1,26}(?:\.[0-9]{0,12})?$"
_PLAIN = r"^[+-]?[0-9]{1,26}(?:\.[0-9]{0,12}0*)?$"
_KEPT = r"^([+-]?[0-9]{1,26}(?:\.[0-9]{0,12})?)"


@dataclass(frozen=True)
class Numbers:
    """`values` as DECIMAL(38,12), and where they were unreadable (NULL then) or rounded to twelve places."""

    values: pl.Series
    unreadable: pl.Series
    rounded: pl.Series


def read_decimals(texts: pl.Series) -> Numbers:
    """A column of numbers as text. Less than half of the twelfth place is zero, and counts as rounded."""
    if texts.str.contains(_EXACT).all():  # nearly every column; empty values do not count
        sound = pl.repeat(value=False, n=len(texts), eager=True)
        return Numbers(texts.cast(MONEY), sound, sound)
    plain = texts.str.contains(_PLAIN)
    canonical, rounded = _canonical(texts.filter(~plain.fill_null(value=True)).unique().to_list())
    kept = texts.str.extract(_KEPT)
    others = texts.replace_strict(list(canonical), list(canonical.values()), default=None, return_dtype=pl.String)
    values = pl.select(pl.when(plain).then(kept).otherwise(others)).to_series().cast(MONEY)
    unreadable = texts.is_not_null() & values.is_null()
    return Numbers(values, unreadable, texts.is_in(rounded).fill_null(value=False))


def _canonical(texts: list[str]) -> tuple[dict[str, str | None], list[str]]:
    """Each text as a plain decimal number or None, and the texts that lost decimal places by it."""
    canonical, rounded = dict[str, str | None](), list[str]()
    for text in texts:
        value = read_decimal(text)
        exact = None if value is None else at_scale(value)
        if exact is None:
            canonical[text] = None
            continue
        canonical[text] = f"{exact:f}"
        if exact != value:
            rounded.append(text)
    return canonical, rounded


def read_times(values: pl.Series) -> pl.Series:
    """Instants as naive UTC, NULL where unreadable. An instant without an offset is UTC already, as FOCUS demands."""
    if values.dtype != pl.String:
        return values.cast(pl.Datetime("us"))
    texts: list[str] = values.drop_nulls().unique().to_list()
    return values.replace_strict(
        texts, [read_time(text) for text in texts], default=None, return_dtype=pl.Datetime("us")
    )


def read_tags(values: pl.Series) -> pl.Series:
    """Tags as JSON objects of strings with sorted keys, NULL where unreadable."""
    texts: list[str] = values.drop_nulls().unique().to_list()
    return values.replace_strict(texts, [read_tag_set(text) for text in texts], default=None, return_dtype=pl.String)


def read_tag_set(text: str) -> str | None:
    """One row's tags: a JSON object, an object that lost its braces, or a list of Key and Value."""
    for written in (text, f"{{{text}}}"):
        try:
            found = orjson.loads(written)
        except orjson.JSONDecodeError:
            continue
        pairs = _pairs(found)
        return None if pairs is None else orjson.dumps(pairs, option=orjson.OPT_SORT_KEYS).decode()
    return None


def _pairs(found: object) -> dict[str, str] | None:
    if isinstance(found, dict):
        return {str(key): _text(value) for key, value in found.items()}
    if not isinstance(found, list):
        return None
    pairs = dict[str, str]()
    for entry in found:
        if not isinstance(entry, dict):
            return None
        lowered = {str(name).lower(): value for name, value in entry.items()}
        if set(lowered) != {"key", "value"} or str(lowered["key"]) in pairs:
            return None
        pairs[str(lowered["key"])] = _text(lowered["value"])
    return pairs


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
