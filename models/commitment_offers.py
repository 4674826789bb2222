"""What lists sell to commit a machine to: the offers for one kind of use, and how each is paid.

A list's price is matched by the stock-keeping unit of the use, else by its list price, and then by unit or product: one
machine type is sold under several operating systems. Google sells GPUs by themselves, whatever machine they are in: a
unit that is the price of a GPU meets the commitments to GPUs of the same model in the region, and machines are GPUs
there. Cores and memory of the machine are committed to apart, which is not looked at.

Here belongs: which price is for which use. Here does not belong: levels and savings (`commitment_advice`).
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from models.frames import require
from models.mean_month import MONTH_HOURS

_COMMITMENTS = ("reserved", "savings_plan", "committed_use")
_LINUX = re.compile(r"\blinux\b", re.IGNORECASE)
_LICENSED = re.compile(r"\b(sql|rhel|red hat|suse|windows|ubuntu pro|dedicated)\b", re.IGNORECASE)
_APART = re.compile(r"\b(dws|spot|preemptible|reserved|sole[ -]tenan\w*)\b", re.IGNORECASE)
"""In a GPU's own words: sold in another way than on demand, which no commitment covers."""
_PAID_AT_START = {"all_upfront": Fraction(1), "partial_upfront": Fraction(1, 2)}

Row = Mapping[str, Any]


def newest_prices(prices: pl.DataFrame) -> pl.DataFrame:
    """Rows of `machine_prices` as each provider's list last said them. Raises ValueError where the shape is another."""
    lists = require(prices, "machine_prices")
    return lists.filter(pl.col("usage_date") == pl.col("usage_date").max().over("provider_name"))


def offers_for(machine: Row, list_unit_price: Decimal | None, newest: pl.DataFrame) -> Iterator[Row]:
    """The commitments that the provider's list sells for this machine, of the product that it runs.

    Args:
        machine: provider, region, machine type, currency and stock-keeping unit of the use.
        list_unit_price: what its bill says that an hour costs by the list, where it says so.
        newest: rows of `machine_prices`, of each provider's newest day (`newest_prices`).
    """
    same = newest.filter(
        provider_name=machine["provider_name"],
        region_id=machine["region_id"],
        instance_type=machine["instance_type"],
        currency=machine["billing_currency"],
    )
    on_demand = same.filter((pl.col("purchase_option") == "on_demand") & (pl.col("unit_price") > 0))
    mine = on_demand.filter(pl.col("sku_id") == machine["sku_id"]) if machine["sku_id"] else on_demand.clear()
    if mine.is_empty() and list_unit_price is not None:
        mine = on_demand.filter(pl.col("unit_price") == list_unit_price)
    one = mine["product"].n_unique() == 1  # several are several operating systems: nobody knows which it runs
    products, units = (set(mine["product"]), set(mine["sku_id"])) if one else (set[str](), set[str]())
    terms = same.filter(
        pl.col("purchase_option").is_in(_COMMITMENTS),
        pl.col("price_per_hour").is_not_null(),
        pl.col("product").is_in(products) | pl.col("sku_id").is_in(units - {""}) | _is_plan_for(products),
    )
    if terms.is_empty():
        terms = _of_gpus(machine, newest)
    cheapest = terms.sort("price_per_hour", "sku_id", "sku_price_id").unique(
        ["purchase_option", "term_months", "payment_option"], keep="first", maintain_order=True
    )
    yield from cheapest.iter_rows(named=True)


def _of_gpus(machine: Row, newest: pl.DataFrame) -> pl.DataFrame:
    """Commitments to the GPU whose unit the use is of, where the list sells GPUs by themselves."""
    alone = newest.filter(
        pl.col("provider_name") == machine["provider_name"],
        pl.col("region_id") == machine["region_id"],
        pl.col("currency") == machine["billing_currency"],
        pl.col("instance_type") == "",
        pl.col("gpu_model_name").is_not_null(),
        pl.col("gpu_count") == 1,
    )
    is_mine = (pl.col("sku_id") == machine["sku_id"]) & (pl.col("purchase_option") == "on_demand")
    mine = alone.filter(is_mine, pl.lit(bool(machine["sku_id"])))
    models = {row["gpu_model_name"] for row in mine.iter_rows(named=True) if not _APART.search(row["product"])}
    return alone.filter(
        pl.col("purchase_option").is_in(_COMMITMENTS),
        pl.col("price_per_hour").is_not_null(),
        pl.col("gpu_model_name").is_in(models),
    )


def start_and_hour(offer: Row) -> tuple[Fraction, Fraction]:
    """What a machine's commitment costs at its start, and then an hour.

    A savings plan's rate is the whole price of an hour; paid upfront, all of it or half is paid at the start.
    """
    recurring = Fraction(offer["unit_price"] or 0)
    if offer["purchase_option"] == "savings_plan" and offer["upfront_price"] is None:
        share = _PAID_AT_START.get(offer["payment_option"], Fraction(0))
        return recurring * share * offer["term_months"] * MONTH_HOURS, recurring * (1 - share)
    return Fraction(offer["upfront_price"] or 0), recurring


def _is_plan_for(products: set[str]) -> pl.Expr:
    """Whether a row is a rate of AWS's savings plans for a machine of these products.

    A rate names the machine's usage type and no product; those of the list are for Linux on shared machines (its source
    asks for no other), whose use on demand says so in words.
    """
    is_linux = bool(products) and all(_LINUX.search(name) and not _LICENSED.search(name) for name in products)
    is_rate = (pl.col("provider_name") == "AWS") & (pl.col("purchase_option") == "savings_plan")
    return is_rate & pl.col("sku_id").str.contains("BoxUsage:", literal=True) & pl.lit(is_linux)
