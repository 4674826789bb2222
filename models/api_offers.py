"""What the same tokens would cost at every API that serves the same weights: the cheapest is a comparator of its own.

Prices are those of the price book for the standard tier and the smallest context band; a class of tokens without a
price makes an offer unknown, not free, and an offer at no price at all is a trial and no offer.

Here belongs: that arithmetic, exact. Here does not belong: which names mean the same weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import polars as pl

from models.frames import require

_TIER = "default"


@dataclass(frozen=True)
class ApiOffer:
    """An API and what a month of the tokens costs there, in dollars."""

    provider_id: str
    model_id: str
    region_id: str
    monthly_cost: Fraction


@dataclass(frozen=True)
class Residency:
    """Where data may go: regions, and providers of APIs; empty: anywhere, anyone.

    An API whose price holds everywhere does not say where it computes: with limits only providers that are named count.
    """

    regions: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()

    def allows(self, provider_id: str, region_id: str) -> bool:
        """Whether an API's price in a region may be used."""
        if self.providers and provider_id not in self.providers:
            return False
        if not self.regions or region_id in self.regions:
            return True
        return not region_id and provider_id in self.providers


def api_offers(
    book: pl.DataFrame,
    is_same: Callable[[str], bool],
    tokens: Mapping[str, int],
    months: Fraction,
    at: datetime,
    residency: Residency,
) -> list[ApiOffer]:
    """Every API that may be used and has a price for each class of the tokens, cheapest first.

    Args:
        book: frame in the shape of `price_book`.
        is_same: whether a model id of the book means the weights.
        tokens: tokens by class.
        months: how many months of 730 hours they are of.
        at: the instant whose prices count, UTC.
        residency: where data may go.

    Raises:
        ValueError: the frame does not keep its contract.
    """
    in_force = require(book, "price_book").filter(
        pl.col("service_tier") == _TIER,
        pl.col("input_tokens_from") == 0,
        pl.col("valid_from") <= at,
        pl.col("valid_to") > at,
        pl.col("region_id") != "*",
    )
    same = [model for model in in_force["model_id"].unique().to_list() if is_same(model)]
    used = {name: count for name, count in tokens.items() if count}
    found: list[ApiOffer] = []
    for row in in_force.filter(pl.col("model_id").is_in(same)).iter_rows(named=True):
        prices = {name: row[f"{name}_usd_per_token"] for name in used}
        if not residency.allows(row["provider_id"], row["region_id"]) or None in prices.values():
            continue
        cost = sum((Fraction(prices[name]) * count for name, count in used.items()), Fraction(0)) / months
        if cost > 0:
            found.append(ApiOffer(row["provider_id"], row["model_id"], row["region_id"], cost))
    return sorted(found, key=lambda offer: (offer.monthly_cost, offer.provider_id, offer.model_id, offer.region_id))
