"""What usage costs where the file says only how much was used: a card of unit prices, each with its days.

Exact to the last digit: quantity times price, divided once, rounded to twelve decimal places at the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.exact import at_scale, read_decimal
from connectors.focus.findings import Finding
from connectors.focus.values import MONEY

NO_PRICE = "no_price"
EVER, FOREVER = date(2000, 1, 1), date(2100, 1, 1)  # instants of bills lie between them
_QUANTITY = "a decimal number whose cost fits into 24 digits and twelve decimal places"
_LARGEST = Decimal(10) ** 24  # two of them add up to what a cost can hold


class UnitPrice(BaseModel):
    """What one unit of a usage column costs, from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    match: dict[str, str] = Field(
        default={}, description="Columns of the file and the text that each must hold, all of them; left out: any line."
    )
    unit_price: Decimal = Field(
        ge=0, max_digits=38, decimal_places=18, description="Price of `units` of the quantity, in `currency`."
    )
    per: str = Field(min_length=1, description="Column of the file that holds the quantity.")
    units: Decimal = Field(
        default=Decimal(1),
        gt=0,
        max_digits=26,
        description="How much of the quantity the price is for: 1000000 tokens.",
    )
    valid_from: date = Field(
        default=EVER, alias="from", description="First day (UTC) on which it holds, by the charge's start."
    )
    valid_to: date = Field(default=FOREVER, alias="to", description="First day on which it no longer holds.")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.valid_to <= self.valid_from:
            raise ValueError(f"'to' ({self.valid_to}) must be after 'from' ({self.valid_from})")
        return self

    def overlaps(self, other: "UnitPrice") -> bool:
        """Whether both say a price of the same thing on the same day."""
        same = (self.per, self.match) == (other.per, other.match)
        return same and self.valid_from < other.valid_to and other.valid_from < self.valid_to


@dataclass(frozen=True)
class Priced:
    """`costs` as text, NULL where a line has no price; `findings` say why; `rounded` counts costs that lost digits."""

    costs: pl.Series
    findings: tuple[Finding, ...]
    rounded: int


def price_lines(card: Sequence[UnitPrice], texts: Mapping[str, pl.Series], starts: pl.Series) -> Priced:
    """The cost of each line: the sum over the card's quantity columns of quantity times the first price that matches.

    Args:
        card: Unit prices; of several that match a line the first counts.
        texts: The file's columns that the card names, as text with a decimal point.
        starts: First instant of each charge, naive UTC.

    A line whose quantity, other than zero, has no price is not priced at all: part of a cost is no cost. So is a line
    that no price matches, or without any quantity.
    """
    columns = list(dict.fromkeys(price.per for price in card))
    total = pl.repeat(None, len(starts), dtype=MONEY, eager=True)
    parts = [_price_column(card, per, texts, starts) for per in columns]
    for part in parts:
        both = total + part.costs.fill_null(0)
        total = pl.select(pl.when(total.is_null()).then(part.costs).otherwise(both)).to_series()
    used = _any([texts[per].is_not_null() for per in columns])
    unreadable = _any([part.unreadable for part in parts])
    unpriced = _any([part.unpriced for part in parts]) | (used & total.is_null() & ~unreadable)
    findings = [
        *(Finding(p.unreadable, "unreadable_number", per, _QUANTITY) for per, p in zip(columns, parts, strict=True)),
        Finding(unpriced, NO_PRICE, columns[0], "a price in `unit_prices` for the line on that day"),
        Finding(~used, "missing_value", columns[0], f"a quantity in {' or '.join(columns)}"),
    ]
    costs = pl.select(pl.when(~_any([finding.mask for finding in findings])).then(total)).to_series()
    return Priced(costs.cast(pl.String), tuple(findings), sum(part.rounded for part in parts))


def _any(masks: Sequence[pl.Series]) -> pl.Series:
    return pl.select(pl.any_horizontal(masks)).to_series()


@dataclass(frozen=True)
class _Part:
    costs: pl.Series
    unreadable: pl.Series
    unpriced: pl.Series
    rounded: int


def _price_column(card: Sequence[UnitPrice], per: str, texts: Mapping[str, pl.Series], starts: pl.Series) -> _Part:
    quantity, chosen = texts[per], _first_match(card, per, texts, starts)
    pairs = pl.DataFrame({"quantity": quantity, "price": chosen})
    distinct = pairs.unique().drop_nulls("quantity")
    found = [_cost(text, None if index is None else card[index]) for text, index in distinct.iter_rows()]
    known = distinct.with_columns(
        pl.Series("cost", [cost for cost, _ in found], dtype=MONEY),
        pl.Series("state", [state for _, state in found], dtype=pl.String),
    )
    joined = pairs.join(known, on=["quantity", "price"], how="left", nulls_equal=True, maintain_order="left")
    state = joined["state"].fill_null("")
    return _Part(joined["cost"], state == "unreadable", state == "unpriced", int((state == "rounded").sum()))


def _first_match(card: Sequence[UnitPrice], per: str, texts: Mapping[str, pl.Series], starts: pl.Series) -> pl.Series:
    """The index of the first price of that quantity that matches each line, NULL where none does."""
    chosen = pl.repeat(None, len(starts), dtype=pl.Int64, eager=True)
    for index, price in reversed(list(enumerate(card))):
        if price.per != per:
            continue
        day = starts.dt.date()
        held = (day >= price.valid_from) & (day < price.valid_to)
        for column, text in price.match.items():
            held &= texts[column] == text
        chosen = pl.select(pl.when(held.fill_null(value=False)).then(index).otherwise(chosen)).to_series()
    return chosen


def _cost(text: str, price: UnitPrice | None) -> tuple[Decimal | None, str]:
    """The cost of that quantity, and what there is to say: `rounded`, `unreadable`, `unpriced` or nothing."""
    quantity = read_decimal(text)
    if quantity is None:
        return None, "unreadable"
    if price is None:
        return (None, "unpriced") if quantity else (None, "")
    with localcontext(prec=200):
        asked = quantity * price.unit_price
        exact = asked / price.units
        if abs(exact) >= _LARGEST:
            return None, "unreadable"
        cost = at_scale(exact)
        if exact and not cost:  # a cost is never rounded to nothing
            return None, "unreadable"
        return cost, "" if cost * price.units == asked else "rounded"
