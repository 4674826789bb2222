"""Numbers as files outside the standard write them: another decimal mark, grouped digits, cents. Exact, as text.

What cannot be read stays something that is no number, so that staging refuses it and shows what the file says.
"""

from decimal import Decimal, localcontext
from typing import cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from connectors.exact import read_decimal
from connectors.focus.values import MONEY

_PLAIN = r"^[+-]?[0-9]{1,26}(?:\.[0-9]{1,12})?$"
_GROUPED = r"^\s*[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?\s*$"
_FACTOR = pa.decimal256(37, 12)


def pointed(texts: pl.Series, mark: str, *, grouped: bool) -> pl.Series:
    """Numbers with a point before the decimal places and nothing between groups of three digits.

    The two marks change places, and only well-formed groups are joined: `1.234` under a decimal comma is no number
    unless groups are declared, and never 1.234.
    """
    if mark == ",":
        texts = texts.str.replace_many([",", "."], [".", ","])
    if not grouped:
        return texts
    joined = texts.str.replace_all(",", "", literal=True)
    return pl.select(pl.when(texts.str.contains(_GROUPED)).then(joined).otherwise(texts)).to_series()


def scaled(texts: pl.Series, factor: Decimal) -> pl.Series:
    """Every number times the factor, all digits kept; what is no number as it was."""
    if factor == 1:
        return texts
    plain = texts.str.contains(_PLAIN).fill_null(value=False)
    product = pc.call_function(
        "multiply",
        [
            pl.select(pl.when(plain).then(texts)).to_series().cast(MONEY).to_arrow().cast(pa.decimal256(38, 12)),
            pa.scalar(factor.quantize(Decimal("1e-12")), _FACTOR),
        ],
    )
    exact = cast("pl.Series", pl.from_arrow(cast("pa.Array", product).cast(pa.large_string())))
    odd = texts.filter(~plain).drop_nulls().unique().to_list()
    others = texts.replace_strict(odd, [_scaled(text, factor) for text in odd], default=None, return_dtype=pl.String)
    return pl.select(pl.when(plain).then(exact).otherwise(others)).to_series()


def _scaled(text: str, factor: Decimal) -> str:
    number = read_decimal(text)
    if number is None:
        return text
    with localcontext(prec=200):
        return str(number * factor)
