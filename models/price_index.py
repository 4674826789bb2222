"""The price book by model, for asking what a token of a class costs on a day, and what else it could have cost.

Here belongs: looking prices up. Here does not belong: which of them a bill used.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from models.price_lines import EVERYWHERE
from models.reconciliation_prices import OtherPrice
from models.reconciliation_sides import DEFAULT, Key, Model
from models.tokens import TOKEN_CLASSES

_AGREED = "*"
_PLACE = ("region_id", "service_tier", "input_tokens_from", "input_tokens_to")
_COLUMNS = [f"{name}_usd_per_token" for name in TOKEN_CLASSES]
_DAY = timedelta(days=1)
Row = Mapping[str, Any]


class PriceIndex:
    """The rows of `price_book` by model."""

    def __init__(self, price_book: pl.DataFrame) -> None:
        self._rows: dict[Model, list[Row]] = defaultdict(list)
        for row in price_book.iter_rows(named=True):
            self._rows[Model(row["provider_id"], row["model_id"])].append(row)
        self._dearest: dict[tuple[str, str, date], Decimal | None] = {}

    def price(self, key: Key, tier: str = DEFAULT) -> Decimal | None:
        """USD a token at the start of the day, in the tier and the shortest context, wherever that is."""
        at = datetime.combine(key.day, time())
        for region in (EVERYWHERE, _AGREED):
            for row in self._stated(key):
                holds = row["valid_from"] <= at < row["valid_to"]
                if (
                    holds
                    and row["region_id"] == region
                    and row["service_tier"] == tier
                    and not row["input_tokens_from"]
                ):
                    return row[_column(key)]
        return None

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
        """Every price of the class: those of the tier and shortest context first, the latest first of all."""
        rows = sorted(_joined(self._stated(key), _column(key)), key=lambda row: row["valid_from"], reverse=True)
        for row in sorted(rows, key=lambda row: _is_special(row, tier)):
            name = f"{row['service_tier']} from {row['input_tokens_from']:,} tokens"
            yield OtherPrice(row[_column(key)], _is_special(row, tier), name, row["valid_from"], row["valid_to"])

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


def _is_special(row: Row, tier: str) -> bool:
    return row["service_tier"] != tier or row["input_tokens_from"] > 0


def _column(key: Key) -> str:
    return f"{key.token_class}_usd_per_token"
