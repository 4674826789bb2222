"""What the sides of a reconciliation have in common, and what the providers' usage APIs counted.

Here belongs: the words that all sides are brought to (`Key`, `Names`), and reading the usage API. Here does not belong:
bill and log, which are read in `reconciliation_bill` and `reconciliation_log`; what a difference means, which is in
`reconciliation_volume` and `reconciliation_rate`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

import polars as pl

from models.tokens import TOKEN_CLASSES, column_of

ALL = "all"
"""The class of a bill that names none, and the model of one that names none."""

UNKNOWN = "unknown"
"""The model of lines that count tokens and name no model that anything identifies."""

INPUT_CLASSES = frozenset({"input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio"})
OUTPUT, REASONING = "output_text", "output_reasoning"
DEFAULT, PROVISIONED = "default", "provisioned"
"""Service tiers: the one that nobody needs to name, and the one that is paid by the hour."""

LEFT_OUT = "left_out"
"""What a provider counts and its report of costs leaves out."""

ZERO = Decimal(0)

USD_DIGITS, PRICE_DIGITS = 12, 18
USD_DIGIT, PRICE_DIGIT = Decimal(1).scaleb(-USD_DIGITS), Decimal(1).scaleb(-PRICE_DIGITS)
"""The last digit of an amount in the ledger, and that of an average price: six more than prices have."""

Row = Mapping[str, Any]


def usd(amount: Decimal) -> Decimal:
    """An amount at the ledger's scale."""
    return amount.quantize(USD_DIGIT, ROUND_HALF_EVEN)


class Key(NamedTuple):
    """What the four sides are compared by. The account is empty where the sides know no common one."""

    day: date
    provider: str
    account: str
    model: str
    token_class: str


class Model(NamedTuple):
    """A model of a provider."""

    provider: str
    model: str


class Names(NamedTuple):
    """How the bill names what log and usage API have: a model, and a token class of a model by that name."""

    model_of: Callable[[Model], Model]
    class_of: Callable[[Model, str], str]


class Unit(NamedTuple):
    """The smallest thing that a provider counts for: a key in an account; the key is empty where it tells none."""

    account: str
    key: str


class OfTier(NamedTuple):
    """What of a cell of the bill is of one service tier: `lines` and `unit` as of the cell."""

    cost: Decimal
    tokens: Decimal | None
    lines: Decimal
    unit: Decimal | None

    def plus(self, other: "OfTier") -> "OfTier":
        """Both together."""
        tokens, unit = _both(self.tokens, other.tokens), _finer(self.unit, other.unit)
        return OfTier(self.cost + other.cost, tokens, self.lines + other.lines, unit)


@dataclass(slots=True)
class Billed:
    """One cell of the bill in USD. `tokens` is None where a line's unit is no number of tokens.

    `lines` counts a line that is for several days in each of them by its share; `unit` is one of the last digit that
    the bill writes, in USD, None without a line; `refunded` are the tokens that lines of negative quantity take back;
    `is_for_tokens` is whether any line is a price of tokens, also where a day has no share of its cost.
    `tiers` is the same by service tier: of models of which the bill names any. `not_for_tokens` holds by cause what is
    no price of tokens, which all these are without; `unconverted` are the currencies of lines that have no rate to USD,
    whose cost is missing.
    """

    cost: Decimal = ZERO
    tokens: Decimal | None = ZERO
    lines: Decimal = ZERO
    unit: Decimal | None = None
    tiers: Mapping[str, OfTier] = field(default_factory=dict[str, OfTier])
    not_for_tokens: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    unconverted: frozenset[str] = frozenset()
    refunded: Decimal = ZERO
    is_for_tokens: bool = False

    @property
    def total(self) -> Decimal:
        """All that is billed, of lines that have a rate to USD."""
        return sum(self.not_for_tokens.values(), self.cost)

    @property
    def known_total(self) -> Decimal | None:
        """The same; None where no line has a rate, which is not zero."""
        return None if self.unconverted and self.unit is None and not self.total else self.total

    def plus(self, other: "Billed") -> "Billed":
        """Both together."""
        causes = {**self.not_for_tokens, **other.not_for_tokens}
        tiers = dict(self.tiers)
        for tier, found in other.tiers.items():
            tiers[tier] = tiers[tier].plus(found) if tier in tiers else found
        return Billed(
            self.cost + other.cost,
            _both(self.tokens, other.tokens),
            self.lines + other.lines,
            _finer(self.unit, other.unit),
            tiers,
            {name: self.not_for_tokens.get(name, ZERO) + other.not_for_tokens.get(name, ZERO) for name in causes},
            self.unconverted | other.unconverted,
            self.refunded + other.refunded,
            self.is_for_tokens or other.is_for_tokens,
        )


def _finer(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return one if other is None else other if one is None else min(one, other)


def _both(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


@dataclass
class Counted:
    """The usage API's side, by unit: tokens by model, class and day, and requests by model and day.

    What no bill has by tokens is in neither of them: `apart` has its tokens by cause, of all units. It is what is paid
    by the hour (PROVISIONED), and what the provider's report of costs leaves out (LEFT_OUT).
    """

    tokens: dict[Unit, dict[tuple[Model, str, date], int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    requests: dict[Unit, dict[tuple[Model, date], int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    apart: dict[str, dict[tuple[Model, str, date], int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )


def provider_of(name: str, identities: Mapping[tuple[str, str], Model]) -> str:
    """The provider that a bill or usage API means, by the models that it names: its own word where none is known."""
    known = {model.provider for (source, _), model in identities.items() if source == name}
    return min(known, default=name.lower())


def read_usage(
    provider_usage: pl.DataFrame,
    identities: Mapping[tuple[str, str], Model],
    names: Names,
    billed_tiers: Collection[tuple[str, str]] = (),
) -> Counted:
    """What the providers' usage APIs counted, in tokens; what nothing identifies is of the model UNKNOWN.

    Args:
        provider_usage: what they counted.
        identities: models by the names that bills and usage APIs give them.
        names: how the bill names models and classes.
        billed_tiers: providers and tiers that lines of the bill name: what one report leaves out, another may have.
    """
    counted = Counted()
    provider_ids = {name: provider_of(name, identities) for name in provider_usage["provider_name"].unique()}
    for row in provider_usage.iter_rows(named=True):
        unnamed = Model(provider_ids[row["provider_name"]], UNKNOWN)
        model = names.model_of(identities.get((row["provider_name"], row["model"] or ""), unnamed))
        unit = Unit(row["sub_account_id"] or "", row["api_key_id"] or "")
        cause = _cause_apart(row, billed_tiers)
        if cause is None:
            counted.requests[unit][model, row["usage_date"]] += row["request_count"] or 0
        tokens_of = counted.tokens[unit] if cause is None else counted.apart[cause]
        for token_class, tokens in _classes(row) if cause is None else _sides(row):
            tokens_of[model, names.class_of(model, token_class), row["usage_date"]] += tokens
    return counted


def _cause_apart(row: Row, billed_tiers: Collection[tuple[str, str]]) -> str | None:
    """Why no bill has the row by tokens; None for what a bill has."""
    if row["service_tier"] == PROVISIONED:
        return PROVISIONED
    is_left_out = row["left_out_of_bill"] and (row["provider_name"], row["service_tier"]) not in billed_tiers
    return LEFT_OUT if is_left_out else None


def _classes(row: Row) -> Iterable[tuple[str, int]]:
    named = [(name, row[column_of(name)]) for name in TOKEN_CLASSES if row[column_of(name)]]
    if named:
        return named
    return [(ALL, total) for total in (row["input_total_tokens"], row["output_total_tokens"]) if total]


def _sides(row: Row) -> Iterable[tuple[str, int]]:
    """The same of input and of output apart: what is not on the bill may have a class on one side alone."""
    for is_input, total in ((True, row["input_total_tokens"]), (False, row["output_total_tokens"])):
        of_side = [name for name in TOKEN_CLASSES if (name in INPUT_CLASSES) is is_input]
        named = [(name, row[column_of(name)]) for name in of_side if row[column_of(name)]]
        yield from named or ([(ALL, total)] if total else [])
