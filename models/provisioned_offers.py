"""What lists sell a unit of provisioned throughput for: by the reach of its deployment, way of buying and region.

Here belongs: which price holds in a region. Here does not belong: how many units to buy (`provisioned_advice`).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from models.mean_month import MONTH_HOURS

CURRENCY = "USD"  # of the price book, which the units are held against


@dataclass(frozen=True)
class UnitOffer:
    """A way of buying a unit; `prices`: of an hour by region, upfront part spread over the term, "" for everywhere."""

    scope: str
    purchase_option: str
    term_months: int
    prices: Mapping[str, Fraction]

    def is_sold_in(self, region: str) -> bool:
        """Whether there is a price in the region; where it is not told, whether there is any."""
        return region in ("", *self.prices) or "" in self.prices

    def price_in(self, region: str) -> Fraction | None:
        """Price in the region; where it is not told, the one that all regions agree on. None where they do not."""
        if region:
            return self.prices.get(region, self.prices.get(""))
        found = set(self.prices.values())
        return found.pop() if len(found) == 1 else None


def unit_offers(prices: pl.DataFrame, provider_name: str) -> list[UnitOffer]:
    """The ways in which a provider's newest list in US dollars sells a unit; of several meters the cheapest counts.

    `prices` are rows of `provisioned_prices`; one of nothing is no price.
    """
    mine = prices.filter(provider_name=provider_name, currency=CURRENCY)
    found: dict[tuple[str, str, int], dict[str, Fraction]] = defaultdict(dict)
    for row in mine.filter(pl.col("usage_date") == pl.col("usage_date").max()).iter_rows(named=True):
        regions = found[row["scope"], row["purchase_option"], row["term_months"]]
        hours, region = row["term_months"] * MONTH_HOURS, row["region_id"]
        if row["upfront_price"] and not hours:
            continue  # a price for a term that is not told says nothing of an hour
        upfront = Fraction(row["upfront_price"]) / hours if row["upfront_price"] else 0
        price = Fraction(row["unit_price"]) + upfront
        if price <= 0:
            continue  # a preview's or an empty meter's: nobody sells a unit for nothing
        regions[region] = min(price, regions.get(region, price))
    return [UnitOffer(*bought, regions) for bought, regions in sorted(found.items()) if regions]
