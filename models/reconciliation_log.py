"""The gateway's side of a reconciliation: the log by model, token class, tier and half hour, and at the price book.

Half hours, because days begin at a half hour in some places. Here belongs: reading `usage_hourly`. Here does not
belong: which of a provider's accounts the log speaks of, and when the bill's days begin.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from models.reconciliation_sides import ZERO, Model, Names, Row
from models.tokens import TOKEN_CLASSES, column_of

HALF_HOUR = timedelta(minutes=30)


@dataclass(slots=True)
class Logged:
    """What the log has of a class in some hours: all of it, what of it was logged again, and both at the price book.

    `unpriced` are those of the tokens that have no price, `unpriced_duplicates` those of the duplicates; both costs
    are of the others. `prices` are those that held.
    """

    tokens: int = 0
    duplicates: int = 0
    cost: Decimal = ZERO
    duplicate_cost: Decimal = ZERO
    prices: set[Decimal] = field(default_factory=set[Decimal])
    unpriced: int = 0
    unpriced_duplicates: int = 0

    @property
    def unique(self) -> int:
        """Tokens without what was logged again."""
        return self.tokens - self.duplicates

    @property
    def unique_unpriced(self) -> int:
        """Those of them that have no price."""
        return self.unpriced - self.unpriced_duplicates

    @property
    def unique_cost(self) -> Decimal:
        """The cost of those of them that have a price."""
        return self.cost - self.duplicate_cost

    @property
    def average(self) -> Decimal | None:
        """What one of these costs; None where there are none."""
        priced = self.unique - self.unique_unpriced
        return self.unique_cost / priced if priced else None

    def add(self, tokens: int, duplicates: int, price: Decimal | None) -> None:
        """Adds tokens that have one price, or none."""
        self.tokens += tokens
        self.duplicates += duplicates
        if price is None:
            self.unpriced += tokens
            self.unpriced_duplicates += duplicates
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


class Entry(NamedTuple):
    """What the log has of a model's class in a half hour and tier."""

    model: Model
    token_class: str
    tier: str
    at: datetime
    logged: Logged


Hours = dict[datetime, Logged]


@dataclass
class Log:
    """The gateway's side. Half hours and days are UTC, duplicates counted apart.

    `hours` is by model, class and tier. `usual` is the highest price of a model's class, `at_usual` what the model's
    half hours cost at it without duplicates: a price that changes in between is no matter of hours.
    """

    hours: dict[Model, dict[str, dict[str, Hours]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(Logged))))
    )
    counts: dict[Model, dict[date, Counts]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counts)))
    usual: dict[Model, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    at_usual: dict[Model, dict[datetime, Decimal]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Decimal))
    )

    def between(
        self, model: Model, token_class: str, start: datetime, end: datetime, tier: str | None = None
    ) -> Logged:
        """What was logged from one half hour to another, of one tier or of all."""
        tiers = self.hours.get(model, {}).get(token_class, {})
        chosen = list(tiers.values()) if tier is None else [tiers.get(tier, {})]
        times = [start + number * HALF_HOUR for number in range((end - start) // HALF_HOUR)]
        inside = [hours[at] for at in times for hours in chosen if at in hours]
        return Logged(
            sum(hour.tokens for hour in inside),
            sum(hour.duplicates for hour in inside),
            sum((hour.cost for hour in inside), ZERO),
            sum((hour.duplicate_cost for hour in inside), ZERO),
            {price for hour in inside for price in hour.prices},
            sum(hour.unpriced for hour in inside),
            sum(hour.unpriced_duplicates for hour in inside),
        )

    def on(self, model: Model, token_class: str, day: date, tier: str | None = None) -> Logged:
        """What was logged on a UTC day, of one tier or of all."""
        midnight = datetime.combine(day, time())
        return self.between(model, token_class, midnight, midnight + timedelta(days=1), tier)

    def average(self, model: Model) -> Decimal:
        """What a token of a model costs on average at its classes' highest prices: for those of no class."""
        hours = (hours for tiers in self.hours[model].values() for hours in tiers.values())
        tokens = sum(logged.unique for of_tier in hours for logged in of_tier.values())
        return sum(self.at_usual[model].values(), ZERO) / tokens if tokens else ZERO

    def tiers(self, model: Model, token_class: str) -> set[str]:
        """The tiers that the log has of a class."""
        return set(self.hours.get(model, {}).get(token_class, {}))

    def entries(self, provider: str) -> Iterator[Entry]:
        """Everything of a provider."""
        for model, classes in self.hours.items():
            if model.provider == provider:
                for token_class, tiers in classes.items():
                    for tier, hours in tiers.items():
                        yield from (Entry(model, token_class, tier, at, logged) for at, logged in hours.items())


def read_log(usage_hourly: pl.DataFrame, names: Names) -> Log:
    """The log in the bill's words, and at the price book."""
    log = Log()
    rows = list(usage_hourly.iter_rows(named=True))
    highest: dict[Model, dict[str, Decimal]] = defaultdict(dict)
    for row in rows:
        usual = highest[_model(row)]
        for token_class in TOKEN_CLASSES:
            price = row[f"{token_class}_usd_per_token"]
            if price is not None:
                usual[token_class] = max(price, usual.get(token_class, price))
    for own, usual in highest.items():
        if names.model_of(own) == own:
            log.usual[own] = usual
    for row in rows:
        own = _model(row)
        model = names.model_of(own)
        counts = log.counts[model][row["usage_date"]]
        counts.answered += row["answered_count"]
        counts.duplicates += row["duplicate_count"]
        counts.aborted += row["aborted_stream_count"]
        _add(log, names, row, model, highest[own])
    return log


def _model(row: Row) -> Model:
    return Model(row["provider_id"], row["model_id"])


def _add(log: Log, names: Names, row: Row, model: Model, usual: Mapping[str, Decimal]) -> None:
    """Adds a row's classes; `usual` has the highest price of each of its model's."""
    at = _half_hour(row)
    for token_class in TOKEN_CLASSES:
        tokens, duplicates = row[column_of(token_class)], row[f"duplicate_{column_of(token_class)}"]
        if not tokens:
            continue
        price = row[f"{token_class}_usd_per_token"]
        log.hours[model][names.class_of(model, token_class)][row["service_tier"]][at].add(tokens, duplicates, price)
        # also where it has no price: the bill's day has those tokens, too
        if token_class in usual:
            log.at_usual[model][at] += (tokens - duplicates) * usual[token_class]


def _half_hour(row: Row) -> datetime:
    """A row is of the half hour in which its price holds."""
    at: datetime = row["price_from"] or row["usage_hour"]
    return at.replace(minute=30 * (at.minute // 30), second=0, microsecond=0)
