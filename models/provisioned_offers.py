"""What lists sell a unit of provisioned throughput for: by the reach of its deployment, way of buying and region.

Here belongs: which price holds in a region. Here does not belong: how many units to buy (`provisioned_advice`).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import polars as pl

from models.dollar_rates import DOLLAR, UsdRates, dollars_for
from models.mean_month import MONTH_HOURS


@dataclass(frozen=True)
class UnitOffer:
    """A way of buying a unit; `prices`: US dollars an hour by region, upfront part spread over the term, "" for all."""

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


def unit_offers(prices: pl.DataFrame, provider_name: str, usd_rates: UsdRates) -> list[UnitOffer]:
    """The ways in which a provider's newest list sells a unit; of several meters the cheapest counts.

    Args:
        prices: rows of `provisioned_prices`; one of nothing is no price. Of lists in several currencies that were read
            on the newest day the one in US dollars counts.
        provider_name: whose.
        usd_rates: by which lists in another currency count; a price without a rate is left out (`unrated`).
    """
    found: dict[tuple[str, str, int], dict[str, Fraction]] = defaultdict(dict)
    for row in _newest(prices, provider_name).iter_rows(named=True):
        regions = found[row["scope"], row["purchase_option"], row["term_months"]]
        price, region, rate = (
            _by_hour(row),
            row["region_id"],
            dollars_for(row["currency"], row["usage_date"], usd_rates),
        )
        if price is None or rate is None:
            continue
        regions[region] = min(price * rate, regions.get(region, price * rate))
    return [UnitOffer(*bought, regions) for bought, regions in sorted(found.items()) if regions]


def unrated(prices: pl.DataFrame, provider_name: str, usd_rates: UsdRates) -> bool:
    """Whether the provider's newest list has a price of a unit that no rate turns into US dollars. Else as above."""
    newest = _newest(prices, provider_name)
    return any(
        _by_hour(row) is not None and dollars_for(row["currency"], row["usage_date"], usd_rates) is None
        for row in newest.iter_rows(named=True)
    )


def _newest(prices: pl.DataFrame, provider_name: str) -> pl.DataFrame:
    mine = prices.filter(provider_name=provider_name)
    newest = mine.filter(pl.col("usage_date") == pl.col("usage_date").max())
    in_dollars = newest.filter(currency=DOLLAR)
    return newest if in_dollars.is_empty() else in_dollars


def _by_hour(row: Mapping[str, Any]) -> Fraction | None:
    """A unit's price of an hour in the list's currency; None where the row says none."""
    hours = row["term_months"] * MONTH_HOURS
    if row["upfront_price"] and not hours:
        return None  # a price for a term that is not told says nothing of an hour
    upfront = Fraction(row["upfront_price"]) / hours if row["upfront_price"] else 0
    price = Fraction(row["unit_price"]) + upfront
    return price if price > 0 else None  # a preview's or an empty meter's: nobody sells a unit for nothing
