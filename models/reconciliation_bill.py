"""The bill's side of a reconciliation: lines of language models by cell, in USD.

Every line that names a model or counts tokens is here, whatever its currency and whether or not anything knows its
model, so that the lines of a reconciliation sum to the charges. Here does not belong: what a difference means.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

import polars as pl

from models.reconciliation_sides import (
    ALL,
    OUTPUT,
    REASONING,
    UNKNOWN,
    ZERO,
    Billed,
    ClassOf,
    Key,
    Model,
    Row,
    provider_of,
)
from models.tokens import tokens_in

NOT_FOR_TOKENS: Mapping[str, str] = {"Credit": "credit", "Adjustment": "adjustment", "Tax": "tax"}
"""The cause of what is billed and is no price of tokens, by FOCUS charge category."""

_USD = "USD"
_PICO = Decimal("0.000000000001")


class Bill(NamedTuple):
    """What the bill's side is read from: `usd_rates` has dollars for a unit of a currency in the billing period."""

    charge_groups: pl.DataFrame
    identities: Mapping[tuple[str, str], Model]
    usd_rates: Mapping[str, Decimal]


def billed_classes(bill: Bill) -> ClassOf:
    """The bill decides the classes: how a class of log or usage API is called on the bill of its model.

    Where the bill has output but no reasoning, reasoning is output; where it names no class at all, everything is ALL.
    A model that is not on the bill keeps its classes.
    """
    found: dict[Model, set[str]] = defaultdict(set)
    for row in _model_lines(bill):
        if row["charge_category"] not in NOT_FOR_TOKENS:
            found[_model(row, bill)].add(row["token_class"] or ALL)

    def class_of(provider: str, model: str, token_class: str) -> str:
        named = found.get(Model(provider, model), set())
        if named == {ALL}:
            return ALL
        is_inside = token_class == REASONING and OUTPUT in named and REASONING not in named
        return OUTPUT if is_inside else token_class

    return class_of


def read_bill(bill: Bill) -> dict[Key, Billed]:
    """The bill in USD, by cell."""
    found: dict[Key, Billed] = {}
    for row in _model_lines(bill):
        model = _model(row, bill)
        account, token_class = row["sub_account_id"] or "", row["token_class"] or ALL
        key = Key(row["charge_date"], model.provider, account, model.model, token_class)
        found[key] = found.get(key, Billed()).plus(_billed(row, bill.usd_rates))
    return found


def _billed(row: Row, usd_rates: Mapping[str, Decimal]) -> Billed:
    """One group of lines. Without a rate its tokens are known and its cost is not."""
    currency: str = row["billing_currency"]
    rate = Decimal(1) if currency == _USD else usd_rates.get(currency)
    unconverted = frozenset[str]() if rate is not None else frozenset({currency})
    cost = ZERO if rate is None else (row["billed_cost"] * rate).quantize(_PICO, ROUND_HALF_EVEN)
    cause = NOT_FOR_TOKENS.get(row["charge_category"])
    if cause:
        return Billed(not_for_tokens={cause: cost}, unconverted=unconverted)
    return Billed(cost, _tokens(row), row["line_count"], unconverted=unconverted)


def _tokens(row: Row) -> Decimal | None:
    per_unit = tokens_in(row["consumed_unit"] or "")
    quantity: Decimal | None = row["consumed_quantity"]
    return None if quantity is None or per_unit is None else quantity * per_unit


def _model(row: Row, bill: Bill) -> Model:
    provider = row["provider_id"] or provider_of(row["provider_name"], bill.identities)
    return Model(provider, row["model_id"] or UNKNOWN)


def _model_lines(bill: Bill) -> Iterator[Row]:
    names_a_model = pl.col("model_id").is_not_null() | pl.col("token_class").is_not_null()
    return bill.charge_groups.filter(names_a_model).iter_rows(named=True)
