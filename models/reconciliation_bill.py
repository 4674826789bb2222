"""The bill's side of a reconciliation: lines of language models by cell, in USD.

Every line of models is here, whatever its currency and whether or not anything knows its model, so that the lines of a
reconciliation sum to the charges. Here does not belong: what a difference means; `reconciliation_scope`, which tells
the lines of models from others.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from models.minor_units import minor_unit
from models.reconciliation_scope import counts_tokens, is_nameless, model_lines
from models.reconciliation_sides import (
    ALL,
    DEFAULT,
    OUTPUT,
    PROVISIONED,
    REASONING,
    UNKNOWN,
    ZERO,
    Billed,
    Key,
    Model,
    Names,
    OfTier,
    Row,
    provider_of,
    usd,
)
from models.reconciliation_spans import Span
from models.tokens import tokens_in

NOT_FOR_TOKENS: Mapping[str, str] = {"Credit": "credit", "Adjustment": "adjustment", "Tax": "tax"}
"""The cause of what is billed and is no price of tokens, by FOCUS charge category."""

OTHER_SERVICE = "other_service"
"""The cause of what a provider bills by model, and this line by something else: searches, sessions, storage."""

MOST_DIGITS = 9
"""Decimal places beyond the ninth are binary noise; no bill writes less than the minor units of its currency."""

_USD = "USD"


class Bill(NamedTuple):
    """What the bill's side is read from: `usd_rates` has dollars for a unit of a currency in the billing period.

    `compared` are the providers that log or usage API speak of.
    """

    charge_groups: pl.DataFrame
    identities: Mapping[tuple[str, str], Model]
    usd_rates: Mapping[str, Decimal]
    compared: frozenset[str] = frozenset()


class BillSide(NamedTuple):
    """The bill in USD by cell, its lines for more than a day, and how it names models and classes."""

    cells: Mapping[Key, Billed]
    spans: Sequence[Span]
    names: Names


class _Line(NamedTuple):
    """A group of lines: its model as it is compared, and the cause of what is no price of tokens."""

    row: Row
    model: Model
    cause: str | None

    @property
    def token_class(self) -> str:
        """The class as it is compared."""
        return self.row["token_class"] or ALL


def read_bill(bill: Bill) -> BillSide:
    """The bill's side. Where a provider's bill names no model, its model is ALL."""
    lines = list(_lines(bill))
    tiered = {line.model for line in lines if line.cause is None and line.row["service_tier"]}
    cells: dict[Key, Billed] = {}
    spans: list[Span] = []
    for line in lines:
        row, model = line.row, line.model
        key = Key(row["charge_date"], model.provider, row["sub_account_id"] or "", model.model, line.token_class)
        billed = _billed(line, bill.usd_rates)
        tier = (row["service_tier"] or DEFAULT) if model in tiered and line.cause is None else None
        if tier is not None:
            billed.tiers = {tier: OfTier(billed.cost, billed.tokens, billed.lines, billed.unit)}
        if line.cause is None and (days := _days(row)) > 1:
            spans.append(Span(key, days, tier, billed))
        else:
            cells[key] = cells.get(key, Billed()).plus(billed)
    return BillSide(cells, spans, _names(lines))


def _days(row: Row) -> int:
    """How many days a line is for; one of 25 hours, as summer time ends, is one."""
    start, end = row["charge_start"], row["charge_end"]
    return 1 if start is None or end is None else max(1, round((end - start) / timedelta(days=1)))


def _names(lines: Sequence[_Line]) -> Names:
    """The bill decides the names: how models and classes of log and usage API are called there.

    Where a provider's bill names no model, all of them are ALL. Where it has output of a model but no reasoning,
    reasoning is output; where it names no class at all, everything is ALL. A model that is not on the bill keeps its
    classes.
    """
    found: dict[Model, set[str]] = defaultdict(set)
    for line in lines:
        if line.cause is None:
            found[line.model].add(line.token_class)
    nameless = {model.provider for model in found} - {model.provider for model in found if model.model != ALL}

    def model_of(model: Model) -> Model:
        return Model(model.provider, ALL) if model.provider in nameless else model

    def class_of(model: Model, token_class: str) -> str:
        named = found.get(model, set())
        if named == {ALL}:
            return ALL
        is_inside = token_class == REASONING and OUTPUT in named and REASONING not in named
        return OUTPUT if is_inside else token_class

    return Names(model_of, class_of)


def _billed(line: _Line, usd_rates: Mapping[str, Decimal]) -> Billed:
    """One group of lines. Without a rate its tokens are known and its cost is not."""
    row, cause = line.row, line.cause
    currency: str = row["billing_currency"]
    rate = Decimal(1) if currency == _USD else usd_rates.get(currency)
    unconverted = frozenset[str]() if rate is not None else frozenset({currency})
    cost = ZERO if rate is None else usd(row["billed_cost"] * rate)
    if cause:
        return Billed(not_for_tokens={cause: cost}, unconverted=unconverted)
    tokens = _tokens(row)
    refunded = max(ZERO, -(tokens or ZERO))
    unit = None if rate is None else _last_unit(row["billed_cost"], currency) * rate
    lines = Decimal(row["line_count"])
    return Billed(cost, tokens, lines, unit, unconverted=unconverted, refunded=refunded, is_for_tokens=True)


def _last_unit(cost: Decimal, currency: str) -> Decimal:
    """One of the last digit that a line writes, in its own currency: rounded to it, it was, before it was converted."""
    digits = -int(cost.normalize().as_tuple().exponent)
    return min(minor_unit(currency), Decimal(1).scaleb(-min(MOST_DIGITS, digits)))


def _tokens(row: Row) -> Decimal | None:
    per_unit = tokens_in(row["consumed_unit"] or "")
    quantity: Decimal | None = row["consumed_quantity"]
    return None if quantity is None or per_unit is None else quantity * per_unit


def _lines(bill: Bill) -> Iterator[_Line]:
    names = bill.charge_groups["provider_name"].unique()
    provider_ids = {name: provider_of(name, bill.identities) for name in names}
    compared = [name for name, provider in provider_ids.items() if provider in bill.compared]
    rows = list(model_lines(bill.charge_groups, compared).iter_rows(named=True))
    providers = [row["provider_id"] or provider_ids[row["provider_name"]] for row in rows]
    by_model = {
        provider
        for row, provider in zip(rows, providers, strict=True)
        if row["model_id"] and row["charge_category"] not in NOT_FOR_TOKENS and row["service_tier"] != PROVISIONED
    }
    for row, provider in zip(rows, providers, strict=True):
        # of a bill that names models, a line may lack nothing but the identity of its own
        is_lacking = provider in by_model and not is_nameless(row)
        model = Model(provider, row["model_id"] or (UNKNOWN if is_lacking else ALL))
        yield _Line(row, model, _cause(row, provider in by_model))


def _cause(row: Row, is_by_model: bool) -> str | None:
    """The cause of a line that is no price of tokens, None for all others."""
    if cause := NOT_FOR_TOKENS.get(row["charge_category"]):
        return cause
    if row["service_tier"] == PROVISIONED:
        return PROVISIONED
    counts_something_else = row["consumed_unit"] is not None and not counts_tokens(row)
    return OTHER_SERVICE if is_by_model and is_nameless(row) and counts_something_else else None
