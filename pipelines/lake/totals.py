"""What a delivery adds up to while it is staged, and whether that is what the source says it should be."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.base import Parsed, Reject
from contracts import contract
from models.tokens import TOKEN_CLASSES
from pipelines.lake.refused import Refused

# The money that a source's control total is about: the invoice's, or what a log says its requests cost.
_MONEY = ("billed_cost", "source_reported_cost_usd")
_EFFECTIVE = "effective_cost"  # what statements are in; a restatement may change it and no invoice
_CURRENCY = "billing_currency"  # of every fact with effective cost; what logs say of their requests is in dollars
_OF_LOGS = "USD"
_EXACT = Context(prec=80)  # beyond anything that DECIMAL(38,12) columns can add up to


@dataclass
class Totals:
    """Running totals over the chunks of one delivery. None is what the fact has not, or no row of a log states.

    `finish` ends them.
    """

    fact: str
    row_count: int = 0
    reject_count: int = 0
    duplicate_count: int = 0
    total_cost: Decimal | None = None
    total_effective_cost: Decimal | None = None
    total_tokens: int | None = None
    rejected_cost: Decimal | None = None
    unreadable_costs: int = 0
    stated_cost: Decimal | None = None
    stated_rows: int | None = None
    notices: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)
    foreign_costs: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    refused: Refused = field(default_factory=Refused)
    finals: list[bool] = field(default_factory=list)
    is_final_once_settled: bool = False
    reaches: datetime | None = None
    currencies: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        if has_effective_cost(self.fact):
            self.total_cost = self.total_effective_cost = Decimal(0)

    def finish(self) -> None:
        """Ends the delivery: where nothing came, nothing is counted and nothing costs nothing; that is known."""
        if self.row_count or self.reject_count:
            return
        if money_column(self.fact):
            self.total_cost = plus(self.total_cost, Decimal(0))
        if token_columns(self.fact):
            self.total_tokens = 0

    @property
    def is_final(self) -> bool:
        """The provider's word on every part of it; `is_final_once_settled` says from when on it counts."""
        return bool(self.finals) and all(self.finals)

    @property
    def currency(self) -> str | None:
        """What its money is in; None where that is not one currency."""
        return next(iter(self.currencies)) if len(self.currencies) == 1 else None

    def add(self, chunk: Parsed) -> None:
        """Counts a chunk."""
        self.row_count += chunk.rows.num_rows
        self.reject_count += len(chunk.rejects)
        self.duplicate_count += chunk.duplicate_count
        if money := money_column(self.fact):
            self.total_cost = plus(self.total_cost, _sum(chunk.rows[money]))
        if has_effective_cost(self.fact):
            self.total_effective_cost = plus(self.total_effective_cost, _sum(chunk.rows[_EFFECTIVE]))
            self.currencies.update(chunk.rows[_CURRENCY].unique().to_pylist())
        elif money and chunk.rows.num_rows:
            self.currencies.add(_OF_LOGS)
        for name in token_columns(self.fact):
            if (tokens := _sum(chunk.rows[name])) is not None:
                self.total_tokens = (self.total_tokens or 0) + tokens
        self.refused.add(chunk.rejects)
        for reject in chunk.rejects:
            self._add_refused(reject)
        self.stated_cost = plus(self.stated_cost, chunk.stated_cost)
        if chunk.stated_rows is not None:
            self.stated_rows = (self.stated_rows or 0) + chunk.stated_rows
        self.notices += [notice for notice in chunk.notices if notice not in self.notices]
        self.not_covered += [words for words in chunk.not_covered if words not in self.not_covered]
        self.reaches = chunk.reaches or self.reaches
        self.finals.append(chunk.is_final or chunk.is_final_once_settled)
        self.is_final_once_settled |= chunk.is_final_once_settled

    def _add_refused(self, reject: Reject) -> None:
        """Money in another currency is told, and no part of a sum in this one."""
        if reject.currency is None or reject.cost is None:
            self.rejected_cost = plus(self.rejected_cost, reject.cost)
            self.unreadable_costs += reject.cost is None
            return
        self.unreadable_costs += 1
        self.foreign_costs[reject.currency] = plus(self.foreign_costs.get(reject.currency), reject.cost) or Decimal(0)

    @property
    def refused_cost(self) -> Decimal | None:
        """Money on the refused rows; None where one has none in this currency that can be read: a part is no whole."""
        return None if self.unreadable_costs else self.rejected_cost

    @property
    def first_refusal(self) -> str | None:
        """Why rows were refused, by the first of each reason; None when none was."""
        told = self.refused.told()
        if told is None:
            return None
        sums = ", ".join(f"{currency} {plain(cost)}" for currency, cost in sorted(self.foreign_costs.items()))
        return f"{told}; refused in other currencies: {sums}" if sums else told

    def shortfall(self) -> str | None:
        """Where the delivery does not add up to what the source states, both figures named; None when it does."""
        problems = [*self._cost_shortfall(), *self._row_shortfall()]
        if not problems:
            return None
        if self.first_refusal:
            problems.append(self.first_refusal)
        return "; ".join(problems) + "; nothing of it was taken in, fetch it again or ask the source"

    def unreached(self, end: datetime) -> str | None:
        """That the answers stop before `end`, where they tell how far they go; None where they do not."""
        if self.reaches is None or self.reaches >= end:
            return None
        return (
            f"the answers go to {self.reaches:%Y-%m-%d %H:%M} UTC, and what was asked for to {end:%Y-%m-%d %H:%M}: "
            "time without use has empty answers, so some are missing; nothing was taken in, fetch it again"
        )

    def _cost_shortfall(self) -> list[str]:
        if self.stated_cost is None:
            return []
        found = plus(self.total_cost, self.rejected_cost)
        if found == self.stated_cost:
            return []
        unread = f" ({self.unreadable_costs} refused rows have no readable cost)" if self.unreadable_costs else ""
        return [f"the source states a total of {plain(self.stated_cost)}, its rows add up to {plain(found)}{unread}"]

    def _row_shortfall(self) -> list[str]:
        found = self.row_count + self.reject_count
        if self.stated_rows is None or self.stated_rows in (found, found + self.duplicate_count):
            return []
        return [f"the source states {self.stated_rows} rows, {found} came and {self.duplicate_count} repeated ones"]


def money_column(fact: str) -> str | None:
    """The column of a fact that control totals are about; None for facts without money."""
    names = {column.name for column in contract(fact).columns}
    return next((name for name in _MONEY if name in names), None)


def token_columns(fact: str) -> list[str]:
    """The columns of a fact that count tokens, each token once; none of facts without tokens."""
    names = {column.name for column in contract(fact).columns}
    return [name for token_class in TOKEN_CLASSES if (name := f"{token_class}_tokens") in names]


def has_effective_cost(fact: str) -> bool:
    """Whether a fact's money is amortised as well."""
    return any(column.name == _EFFECTIVE for column in contract(fact).columns)


def plus(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    """The exact sum; None is unknown and adds nothing, two unknowns stay unknown."""
    if left is None or right is None:
        return right if left is None else left
    return _EXACT.add(left, right)


def plain(amount: Decimal | None) -> str:
    """Money in a message: no exponent, no trailing zeros beyond the cents."""
    if amount is None:
        return "no money at all"
    text = format(amount, "f")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _sum(values: pa.ChunkedArray) -> Any:
    """The sum of a column's known values, in its type; None when no value is known."""
    return pc.call_function("sum", [values]).as_py()
