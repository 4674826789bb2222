"""What we knew of prices, and since when: the second dimension of time of the price book.

Every line keeps the instant at which it was learned. A list that says something else adds lines and never changes one:
a changed line stands beside the one before under a later instant, and a line that is stated no longer is closed by a
line without a price, because that a price was withdrawn is knowledge too. Until when a line was what we knew follows:
until the next line of the same key.

Here belongs: learning a list, and the book as it was known. Here does not belong: where a list comes from.
"""

from datetime import datetime

import polars as pl

from models.frames import conform
from models.price_lines import PRICE_ORDER

KNOWN_FROM = "known_from"

LINE = [name for name in PRICE_ORDER if name != KNOWN_FROM]
"""What makes two lines, learned at different instants, the same line."""

SAID = ["input_tokens_to", "valid_to", "usd_per_mtok", "price_source", "price_basis"]
"""What a line says; it is learned again when any of it differs."""


def learn(known: pl.DataFrame, now_listed: pl.DataFrame, known_at: datetime) -> pl.DataFrame:
    """All that was known, and what a list adds to it when it is read at `known_at`.

    A list read twice adds nothing the second time. Of two lists read at the same instant the later call counts.

    Args:
        known: frame in the shape of `prices`: everything learned so far.
        now_listed: the same shape, the whole list; its `known_from` is not looked at.
        known_at: when the list is read (UTC).

    Returns:
        Frame in the shape of `prices`; lines learned before `known_at` are in it as they were.

    Raises:
        ValueError: something is known from after `known_at`; or as `models.frames.conform`.
    """
    latest = known[KNOWN_FROM].max()
    if isinstance(latest, datetime) and latest > known_at:
        raise ValueError(f"prices are known from {latest}: a list cannot be learned at {known_at}, before that")
    before = known.filter(pl.col(KNOWN_FROM) < known_at)
    current = as_known(before, known_at)
    changed = now_listed.join(current, on=[*LINE, *SAID], how="anti")
    withdrawn = current.join(now_listed, on=LINE, how="anti").with_columns(usd_per_mtok=pl.lit(None))
    news = [conform(rows.with_columns(pl.lit(known_at).alias(KNOWN_FROM)), "prices") for rows in (changed, withdrawn)]
    return pl.concat([conform(before, "prices"), *news]).sort(PRICE_ORDER)


def as_known(prices: pl.DataFrame, known_at: datetime) -> pl.DataFrame:
    """The lines that were known to hold at an instant, each with the instant at which it was learned.

    Args:
        prices: frame in the shape of `prices`.
        known_at: the instant to look back from (UTC).
    """
    learned = prices.filter(pl.col(KNOWN_FROM) <= known_at)
    is_latest = pl.col(KNOWN_FROM) == pl.col(KNOWN_FROM).max().over(LINE)
    return learned.filter(is_latest & pl.col("usd_per_mtok").is_not_null())
