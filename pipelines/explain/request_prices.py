"""Beside logged requests the price of each token class that applied to them: the price book's, or an own model's.

Here belongs: finding them again by what `priced_requests` says of each. Here does not belong: pricing anything.
"""

from collections.abc import Iterator

import polars as pl

from contracts import contract
from models.tokens import TOKEN_CLASSES
from pipelines.explain.evidence import Evidence
from pipelines.explain.made_of_sources import sources

REQUESTS = "priced_requests"
_BOOK, _OWN = "price_book", "self_hosted_prices"
_SAME = {
    "provider_id": "provider_id",
    "model_id": "model_id",
    "service_tier": "service_tier",
    "region_id": "price_region_id",
    "input_tokens_from": "price_input_tokens_from",
    "valid_from": "price_from",
}
"""The key of a price, by what a request calls it."""
_OWN_COLUMN = {"cache_read": "cached", "output_text": "output", "output_reasoning": "output", "output_audio": "output"}
"""What an own model has of a class; of all others the price of its input."""


def price_column(token_class: str) -> str:
    """The column that has the price of a token of the class, in USD."""
    return f"{token_class}_usd_per_token"


PRICES = tuple(map(price_column, TOKEN_CLASSES))


def with_prices(evidence: Evidence, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `priced_requests` with the price of a token of every class, in USD; NULL where none applied.

    Raises LakeError when the lake no longer has the price book that the snapshot was made from.
    """
    book = pl.concat([_stated(evidence.stored(_BOOK)), *_of_own_models(evidence, rows)])
    without = rows.drop(name for name in PRICES if name in rows.columns)
    return without.join(book, on=list(_SAME.values()), how="left", maintain_order="left")


def _stated(book: pl.DataFrame) -> pl.DataFrame:
    return book.select(*(pl.col(name).alias(alias) for name, alias in _SAME.items()), *PRICES)


def _of_own_models(evidence: Evidence, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    own = rows.filter(pl.col("pricing_status") == "gpu_cost")
    if own.is_empty():
        return
    prices = [pl.col(price_column(_OWN_COLUMN.get(each, "input"))).alias(price_column(each)) for each in TOKEN_CLASSES]
    for source in sources(evidence, contract(REQUESTS), contract(_OWN), own):
        found = evidence.rows(f"select * from {source.name}", (), **source.given)
        yield _stated(found.select(*_SAME, *prices))
