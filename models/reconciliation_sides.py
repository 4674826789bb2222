"""The four sides of a reconciliation brought to one grain: bill, usage API, gateway log, and the log at the price book.

Here belongs: reading the tables into cells of a day, provider, account, model and token class. Here does not belong:
what a difference means, which is in `reconciliation_volume` and `reconciliation_rate`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from models.tokens import TOKEN_CLASSES, column_of

ALL = "all"
"""The class of a bill that names none."""

UNKNOWN = "unknown"
"""The model of lines that count tokens and name no model that anything identifies."""

OUTPUT, REASONING = "output_text", "output_reasoning"
ZERO = Decimal(0)
ONE_HOUR = timedelta(hours=1)

Row = Mapping[str, Any]
ClassOf = Callable[[str, str, str], str]


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


class Unit(NamedTuple):
    """The smallest thing that a provider counts for: a key in an account; the key is empty where it tells none."""

    account: str
    key: str


@dataclass(slots=True)
class Billed:
    """One cell of the bill in USD. `tokens` is None where a line's unit is no number of tokens.

    `not_for_tokens` holds by cause what is no price of tokens, which `lines` and `tokens` are without; `unconverted`
    are the currencies of lines that have no rate to USD, whose cost is missing.
    """

    cost: Decimal = ZERO
    tokens: Decimal | None = ZERO
    lines: int = 0
    not_for_tokens: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    unconverted: frozenset[str] = frozenset()

    @property
    def total(self) -> Decimal:
        """All that is billed."""
        return sum(self.not_for_tokens.values(), self.cost)

    def plus(self, other: "Billed") -> "Billed":
        """Both together."""
        causes = {**self.not_for_tokens, **other.not_for_tokens}
        return Billed(
            self.cost + other.cost,
            None if self.tokens is None or other.tokens is None else self.tokens + other.tokens,
            self.lines + other.lines,
            {name: self.not_for_tokens.get(name, ZERO) + other.not_for_tokens.get(name, ZERO) for name in causes},
            self.unconverted | other.unconverted,
        )


@dataclass(slots=True)
class Logged:
    """What the log has of a class in some hours: all of it, what of it was logged again, and both at the price book.

    `cost` is None where a price is missing; `prices` are those that held.
    """

    tokens: int = 0
    duplicates: int = 0
    cost: Decimal | None = ZERO
    duplicate_cost: Decimal = ZERO
    prices: set[Decimal] = field(default_factory=set[Decimal])

    def add(self, tokens: int, duplicates: int, price: Decimal | None) -> None:
        """Adds tokens that have one price, or none."""
        self.tokens += tokens
        self.duplicates += duplicates
        if price is None or self.cost is None:
            self.cost = None
            return
        self.cost += tokens * price
        self.duplicate_cost += duplicates * price
        self.prices.add(price)


@dataclass(slots=True)
class Counts:
    """Attempts of a model on a UTC day: answered with usage, those of them logged again, streams without usage."""

    answered: int = 0
    duplicates: int = 0
    aborted: int = 0


@dataclass
class Log:
    """The gateway's side. Hours and days are UTC, duplicates counted apart.

    `usual` is the highest price of a model's class, `at_usual` what the model's hours cost at it without duplicates: a
    price that changes in between is no matter of hours.
    """

    hours: dict[Model, dict[str, dict[datetime, Logged]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(Logged)))
    )
    counts: dict[Model, dict[date, Counts]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counts)))
    usual: dict[Model, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    at_usual: dict[Model, dict[datetime, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )

    def of_day(self, model: Model, token_class: str, day: date, offset_hours: int = 0) -> Logged:
        """What was logged in the 24 hours from `offset_hours` after the UTC midnight that begins `day`."""
        hours = self.hours.get(model, {}).get(token_class, {})
        start = datetime.combine(day, time()) + offset_hours * ONE_HOUR
        inside = [hours[at] for at in (start + number * ONE_HOUR for number in range(24)) if at in hours]
        costs = [hour.cost for hour in inside if hour.cost is not None]
        return Logged(
            sum(hour.tokens for hour in inside),
            sum(hour.duplicates for hour in inside),
            sum(costs, ZERO) if len(costs) == len(inside) else None,
            sum((hour.duplicate_cost for hour in inside), ZERO),
            {price for hour in inside for price in hour.prices},
        )


@dataclass
class Counted:
    """The usage API's side, by unit: tokens by model, class and day, and requests by model and day."""

    tokens: dict[Unit, dict[tuple[Model, str, date], int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    requests: dict[Unit, dict[tuple[Model, date], int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )


def read_log(usage_hourly: pl.DataFrame, class_of: ClassOf) -> Log:
    """The log by model, class and hour, and at the price book."""
    log = Log()
    rows = list(usage_hourly.iter_rows(named=True))
    for row in rows:
        usual = log.usual[Model(row["provider_id"], row["model_id"])]
        for token_class in TOKEN_CLASSES:
            price = row[f"{token_class}_usd_per_token"]
            if price is not None:
                usual[token_class] = max(price, usual.get(token_class, price))
    for row in rows:
        model = Model(row["provider_id"], row["model_id"])
        counts = log.counts[model][row["usage_date"]]
        counts.answered += row["answered_count"]
        counts.duplicates += row["duplicate_count"]
        counts.aborted += row["aborted_stream_count"]
        for token_class in TOKEN_CLASSES:
            tokens = row[column_of(token_class)]
            if tokens:
                _add_hour(log, model, class_of(*model, token_class), row, token_class, tokens)
    return log


def _add_hour(log: Log, model: Model, billed_class: str, row: Row, token_class: str, tokens: int) -> None:
    duplicates = row[f"duplicate_{column_of(token_class)}"]
    price = row[f"{token_class}_usd_per_token"]
    log.hours[model][billed_class][row["usage_hour"]].add(tokens, duplicates, price)
    if price is not None:
        log.at_usual[model][row["usage_hour"]] += (tokens - duplicates) * log.usual[model][token_class]


def provider_of(name: str, identities: Mapping[tuple[str, str], Model]) -> str:
    """The provider that a bill or usage API means, by the models that it names: its own word where none is known."""
    known = {model.provider for (source, _), model in identities.items() if source == name}
    return min(known, default=name.lower())


def read_usage(provider_usage: pl.DataFrame, identities: Mapping[tuple[str, str], Model], class_of: ClassOf) -> Counted:
    """What the providers' usage APIs counted, in tokens; what nothing identifies is of the model UNKNOWN."""
    counted = Counted()
    for row in provider_usage.iter_rows(named=True):
        unnamed = Model(provider_of(row["provider_name"], identities), UNKNOWN)
        model = identities.get((row["provider_name"], row["model"] or ""), unnamed)
        unit = Unit(row["sub_account_id"] or "", row["api_key_id"] or "")
        counted.requests[unit][model, row["usage_date"]] += row["request_count"] or 0
        for token_class, tokens in _classes(row):
            counted.tokens[unit][model, class_of(*model, token_class), row["usage_date"]] += tokens
    return counted


def _classes(row: Row) -> Iterable[tuple[str, int]]:
    named = [(name, row[column_of(name)]) for name in TOKEN_CLASSES if row[column_of(name)]]
    if named:
        return named
    return [(ALL, total) for total in (row["input_total_tokens"], row["output_total_tokens"]) if total]
