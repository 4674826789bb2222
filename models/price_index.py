"""The price book by model, for asking what a token of a class costs on a day, and what else it could have cost.

Here belongs: looking prices up. Here does not belong: which of them a bill used.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from models.price_lines import EVERYWHERE
from models.reconciliation_cells import price_rounded
from models.reconciliation_prices import OtherPrice
from models.reconciliation_sides import DEFAULT, Key, Model
from models.tokens import TOKEN_CLASSES

_ANYWHERE = EVERYWHERE, "*"
"""The regions of a price that holds everywhere, and of one that all regions have in common."""

_PLACE = ("region_id", "service_tier", "input_tokens_from", "input_tokens_to")
_COLUMNS = [f"{name}_usd_per_token" for name in TOKEN_CLASSES]
_DAY = timedelta(days=1)
Row = Mapping[str, Any]


Regions = Mapping[tuple[Model, str], Mapping[str, int]]
"""How many tokens of the log were priced in which region, by model and tier."""

_MOST_HERE = Decimal("0.9")
"""The share of a model's tokens that makes their region its own: a stray call elsewhere moves no price."""


def regions_of(usage_hourly: pl.DataFrame) -> Regions:
    """The regions at whose prices the log's tokens are, by model and tier."""
    tokens = pl.sum_horizontal(f"{name}_tokens" for name in TOKEN_CLASSES).sum()
    names = ["provider_id", "model_id", "service_tier", "price_region_id"]
    found: dict[tuple[Model, str], Counter[str]] = defaultdict(Counter)
    for provider, model, tier, region, count in usage_hourly.group_by(names).agg(tokens).iter_rows():
        found[Model(provider, model), tier][region or EVERYWHERE] += count
    return found


class PriceIndex:
    """The rows of `price_book` by model. A price of a region that the log does not know of a model is another price."""

    def __init__(self, price_book: pl.DataFrame, regions: Regions) -> None:
        self._rows: dict[Model, list[Row]] = defaultdict(list)
        for row in price_book.iter_rows(named=True):
            self._rows[Model(row["provider_id"], row["model_id"])].append(row)
        self._dearest: dict[tuple[str, str, date], Decimal | None] = {}
        self._regions = regions

    def price(self, key: Key, tier: str = DEFAULT) -> Decimal | None:
        """USD a token at the start of the day, in the tier and the shortest context, where the log is or anywhere.

        Of a model that the log has in several regions it is that of the one that nearly all tokens are in, else the
        average over the log's tokens, as far as these regions have a price.
        """
        at = datetime.combine(key.day, time())
        prices = {
            row["region_id"]: row[_column(key)]
            for row in self._stated(key)
            if row["valid_from"] <= at < row["valid_to"]
            and row["service_tier"] == tier
            and not row["input_tokens_from"]
        }
        told = self._regions.get((Model(key.provider, key.model), tier), {})
        held = {region: count for region, count in told.items() if region in prices and count > 0}
        for region, count in held.items():
            if count >= _MOST_HERE * sum(held.values()):
                return prices[region]
        if len(held) > 1:
            costs = (prices[region] * count for region, count in held.items())
            return price_rounded(sum(costs, Decimal(0)) / sum(held.values()))
        return next((prices[region] for region in _ANYWHERE if region in prices), None)

    def dearest(self, key: Key) -> Decimal | None:
        """The highest price that any model of the provider has for the class on the day; of no class that of all."""
        name = key.provider, key.token_class, key.day
        if name not in self._dearest:
            start = datetime.combine(key.day, time())
            columns = [_column(key)] if key.token_class in TOKEN_CLASSES else _COLUMNS
            of_day = (
                row for row in self._of(key.provider) if row["valid_from"] < start + _DAY and row["valid_to"] > start
            )
            prices = (row[column] for row in of_day for column in columns)
            self._dearest[name] = max((price for price in prices if price is not None), default=None)
        return self._dearest[name]

    def _of(self, provider: str) -> Iterator[Row]:
        return (row for model, rows in self._rows.items() if model.provider == provider for row in rows)

    def others(self, key: Key, tier: str = DEFAULT) -> Iterator[OtherPrice]:
        """Every price of the class: those of tier, region and shortest context first, the latest first of all."""
        told = self._regions.get((Model(key.provider, key.model), tier), {}).keys()
        places = frozenset(_ANYWHERE) if told <= set(_ANYWHERE) else told
        rows = sorted(_joined(self._stated(key), _column(key)), key=lambda row: row["valid_from"], reverse=True)
        for row in sorted(rows, key=lambda row: _is_special(row, tier, places)):
            place = "" if row["region_id"] in _ANYWHERE else f" in {row['region_id']}"
            name = f"{row['service_tier']} from {row['input_tokens_from']:,} tokens{place}"
            is_special = _is_special(row, tier, places)
            yield OtherPrice(row[_column(key)], is_special, name, row["valid_from"], row["valid_to"])

    def _stated(self, key: Key) -> list[Row]:
        if key.token_class not in TOKEN_CLASSES:
            return []
        rows = self._rows.get(Model(key.provider, key.model), [])
        return [row for row in rows if row[_column(key)] is not None]


def _joined(rows: Iterable[Row], column: str) -> list[Row]:
    """Stretches of one price after another as one: the book cuts them where any class of the model changes."""
    found: list[Row] = []
    last: dict[tuple[object, ...], int] = {}
    for row in sorted(rows, key=lambda row: row["valid_from"]):
        place = *(row[name] for name in _PLACE), row[column]
        before = last.get(place)
        if before is not None and found[before]["valid_to"] == row["valid_from"]:
            found[before] = {**found[before], "valid_to": row["valid_to"]}
            continue
        last[place] = len(found)
        found.append(row)
    return found


def _is_special(row: Row, tier: str, places: Container[str]) -> bool:
    return row["service_tier"] != tier or row["input_tokens_from"] > 0 or row["region_id"] not in places


def _column(key: Key) -> str:
    return f"{key.token_class}_usd_per_token"
