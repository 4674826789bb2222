"""On the page: how many tokens of which class requests bought, and at which price of a million.

Here does not belong: looking a price up.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import polars as pl

from models.tokens import TOKEN_CLASSES, column_of
from pipelines.cli.explained_amounts import plain
from pipelines.explain.request_prices import price_column

_MILLION = 6
_HIT = "is_cache_hit"


def summed(rows: pl.DataFrame) -> list[pl.Expr]:
    """What `bought` needs of a group of requests: the tokens that were bought, and every price that they had."""
    if _HIT not in rows.columns:
        return []
    is_bought = ~pl.col(_HIT).fill_null(value=False)
    found: list[pl.Expr] = []
    for each in TOKEN_CLASSES:
        tokens, price = column_of(each), price_column(each)
        if tokens in rows.columns and price in rows.columns:
            used = is_bought & (pl.col(tokens).fill_null(0) != 0)
            found += [pl.col(tokens).filter(is_bought).sum(), pl.col(price).filter(used).unique().sort()]
    return found


def bought(row: Mapping[str, object]) -> str:
    """The tokens of a request, or of a group as `summed` gives it, such as `1,000 input_uncached at 0.25 USD/1M`.

    Empty where nothing was counted, and where a row tells of the others together: these have prices of their own.
    """
    if row.get("note") or row.get("x_note"):
        return ""
    told = ", ".join(_classes(row))
    if not told:
        return ""
    return told + (" (answered by the gateway's cache, not bought)" if row.get(_HIT) is True else "")


def _classes(row: Mapping[str, object]) -> Iterator[str]:
    for each in TOKEN_CLASSES:
        tokens = row.get(column_of(each))
        if price_column(each) in row and isinstance(tokens, int) and tokens:
            yield f"{tokens:,} {each} at {_price(row[price_column(each)])}"


def _price(found: object) -> str:
    prices: Sequence[object] = found if isinstance(found, list) else [found]
    if len(prices) > 1:
        return "several prices"
    price = prices[0] if prices else None
    return f"{plain(price.scaleb(_MILLION))} USD/1M" if isinstance(price, Decimal) else "an unknown price"
