"""What machines with GPUs cost by region and way of buying: the cheapest offer of each, as far as data may go there.

A machine type is sold under several operating systems, terms and zones: of each region and way of buying the cheapest
counts, of a way with terms also over the terms. Spot prices are the mean of the zone's last days; what interruptions
cost is not in them (`checkpointing`). GPUs that are sold by themselves have no machine around them: they are no offer.

Here belongs: that choice. Here does not belong: how lists are read, which machines a model fits on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import polars as pl

from models.dollar_rates import DOLLAR, UsdRates, dollars_for
from models.frames import require

SPOT_DAYS = 30
WAYS: Mapping[str, str] = MappingProxyType(
    {
        "on_demand": "on_demand",
        "reserved": "reserved",
        "savings_plan": "reserved",
        "committed_use": "reserved",
        "spot": "spot",
    }
)
"""Ways of buying by a list's word: committed for a term in whichever form is one."""


@dataclass(frozen=True)
class GpuOffer:
    """A machine type in a region, bought in one way: its GPUs, and its price in dollars an hour, upfront part in it."""

    provider_name: str
    region_id: str
    instance_type: str
    way: str
    term_months: int
    gpus: int
    price: Fraction


def gpu_offers(
    prices: pl.DataFrame,
    machines: Mapping[str, int | None],
    regions: Collection[str],
    usd_rates: UsdRates = MappingProxyType({}),
) -> list[GpuOffer]:
    """The cheapest offer of each machine, region and way of buying, in order of these.

    Args:
        prices: frame in the shape of `machine_prices`; of lists each provider's newest day counts.
        machines: GPUs of each machine type that may be used; None where the list tells them.
        regions: regions that data may go to; empty: any.
        usd_rates: dollars for a unit of other currencies; a price in one without a rate for its month is no offer.

    Raises:
        ValueError: the frame does not keep its contract.
    """
    fitting = require(prices, "machine_prices").filter(
        pl.col("instance_type").is_in(list(machines)),
        pl.col("purchase_option").is_in(list(WAYS)),
        pl.col("price_per_hour") > 0,
    )
    if regions:
        fitting = fitting.filter(pl.col("region_id").is_in(list(regions)))
    fitting = _with_rates(fitting, usd_rates)
    is_spot = pl.col("purchase_option") == "spot"
    lists = fitting.filter(~is_spot)
    newest = lists.filter(pl.col("usage_date") == pl.col("usage_date").max().over("provider_name"))
    told = {row["instance_type"]: row["gpu_count"] for row in newest.to_dicts() if row["gpu_count"]}
    found: dict[tuple[str, ...], GpuOffer] = {}
    for row in [*newest.to_dicts(), *_spot_means(fitting.filter(is_spot))]:
        gpus = machines[row["instance_type"]] or told.get(row["instance_type"])
        if gpus:
            _keep_cheapest(found, _offer(row, gpus))
    return [found[key] for key in sorted(found)]


def _offer(row: Mapping[str, Any], gpus: int) -> GpuOffer:
    names = (row["provider_name"], row["region_id"], row["instance_type"], WAYS[row["purchase_option"]])
    return GpuOffer(*names, row["term_months"], gpus, _dollars(row))


def _with_rates(prices: pl.DataFrame, usd_rates: UsdRates) -> pl.DataFrame:
    """The prices that are in US dollars or have a rate, with `usd_rate` as text: NULL for dollars."""
    months = prices.select("currency", pl.col("usage_date").dt.month_start().alias("month")).unique()
    rated = [
        {"currency": currency, "month": month, "usd_rate": None if currency == DOLLAR else str(rate)}
        for currency, month in months.iter_rows()
        if (rate := dollars_for(currency, month, usd_rates)) is not None
    ]
    schema = {"currency": pl.String, "month": pl.Date, "usd_rate": pl.String}
    by_month = prices.with_columns(month=pl.col("usage_date").dt.month_start())
    return by_month.join(pl.DataFrame(rated, schema=schema), on=["currency", "month"], maintain_order="left")


def _dollars(row: Mapping[str, Any]) -> Fraction:
    """The price of an hour in US dollars."""
    return Fraction(row["price_per_hour"]) * (Fraction(row["usd_rate"]) if row["usd_rate"] else 1)


def _keep_cheapest(found: dict[tuple[str, ...], GpuOffer], offer: GpuOffer) -> None:
    key = (offer.provider_name, offer.region_id, offer.instance_type, offer.way)
    if key not in found or (offer.price, offer.term_months) < (found[key].price, found[key].term_months):
        found[key] = offer


def _spot_means(spot: pl.DataFrame) -> list[dict[str, Any]]:
    """A row for each zone and product: the exact mean of its days among the last ones."""
    if spot.is_empty():
        return []
    since = spot["usage_date"].max() - timedelta(days=SPOT_DAYS)  # type: ignore[operator]
    key = ["provider_name", "region_id", "availability_zone", "instance_type", "product"]
    sums: dict[tuple[Any, ...], list[Fraction]] = {}
    for row in spot.filter(pl.col("usage_date") > since).to_dicts():
        sums.setdefault(tuple(row[name] for name in key), []).append(_dollars(row))
    return [
        {
            **dict(zip(key, place, strict=True)),
            "purchase_option": "spot",
            "term_months": 0,
            "price_per_hour": sum(days, Fraction(0)) / len(days),
            "usd_rate": None,
        }
        for place, days in sums.items()
    ]
