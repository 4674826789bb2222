"""How many units of provisioned throughput to buy: minute by minute, what they carry and what spills over.

A unit serves so many input tokens a minute; an output token counts as several of them, a cached one as less or none:

- demand of a minute = input tokens + weight x output tokens + weight x cached tokens, in input tokens
- cost of k units    = k x price of a unit in all minutes + price of a token x what the minutes have beyond k units

The next units are worth buying where what they would carry costs more on demand than they do: the newsvendor's rule,
over real minutes. Hours would hide spill: a minute at three times the mean spills two of them, and the hour's mean
none. The cost is convex in the units, so that the first step that does not pay is the last to look at. What spills is
priced at what a weighted token of the period really cost on demand. All arithmetic is in whole numbers and fractions.

Services let a short burst pass beyond the minute's capacity, and send whole requests elsewhere, not parts of them: what
spills differs a little from this. Sources: Azure's guide to sizing provisioned throughput, for weights and steps;
spillover of provisioned deployments, likewise.

Here belongs: units for one model's minutes. Here does not belong: terms of providers, reading the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

HOUR_MINUTES = 60


@dataclass(frozen=True)
class UnitTerms:
    """What a unit is, and in which numbers it is sold.

    Attributes:
        tokens_per_minute: input tokens that a unit serves a minute.
        output_weight: input tokens that an output token counts as.
        cached_weight: input tokens that a cached one counts as, from 0 to 1.
        fewest: units that are sold at least.
        step: units by which more are sold.
    """

    tokens_per_minute: int
    output_weight: Fraction
    cached_weight: Fraction
    fewest: int
    step: int

    def __post_init__(self) -> None:
        if min(self.tokens_per_minute, self.fewest, self.step) < 1:
            raise ValueError(f"{self}: tokens a minute, fewest units and step are one at least")
        if self.output_weight <= 0 or not 0 <= self.cached_weight <= 1:
            raise ValueError(f"{self}: an output token counts for something, a cached one from 0 to 1")

    @property
    def scale(self) -> int:
        """In how many parts of a token demand is counted, so that weights are whole."""
        return lcm(self.output_weight.denominator, self.cached_weight.denominator)

    def units_at(self, position: int) -> int:
        """The numbers that are sold, in order: none, the fewest, and a step more each."""
        return self.fewest + (position - 1) * self.step if position else 0


@dataclass(frozen=True)
class Demand:
    """Weighted input tokens of each minute that has any, in parts of `terms.scale`, among all `minutes` of a period."""

    terms: UnitTerms
    parts: NDArray[np.int64]
    minutes: int

    @property
    def tokens(self) -> Fraction:
        """All of them."""
        return Fraction(int(self.parts.sum()), self.terms.scale)

    def spill(self, units: int) -> Fraction:
        """Weighted tokens that so many units do not carry."""
        capacity = units * self.terms.tokens_per_minute * self.terms.scale
        return Fraction(int(np.maximum(self.parts - capacity, 0).sum()), self.terms.scale)


def demand_of(terms: UnitTerms, counts: Sequence[tuple[int, int, int]] | NDArray[np.int64], minutes: int) -> Demand:
    """The demand of minutes, each with its input, cached and output tokens.

    Args:
        terms: by which tokens weigh.
        counts: a minute each: input tokens to compute, cached ones, output tokens.
        minutes: minutes of the period, those without any token included.

    Raises:
        ValueError: a count is negative, or there are more minutes with tokens than minutes.
    """
    if len(counts) > minutes:
        raise ValueError(f"{len(counts)} minutes with tokens among {minutes}")
    fresh, cached, output = np.asarray(counts, dtype=np.int64).reshape(-1, 3).T
    if min(fresh.min(initial=0), cached.min(initial=0), output.min(initial=0)) < 0:
        raise ValueError("a minute has fewer tokens than none")
    weights = (terms.scale, int(terms.scale * terms.cached_weight), int(terms.scale * terms.output_weight))
    return Demand(terms, weights[0] * fresh + weights[1] * cached + weights[2] * output, minutes)


def units_cost(demand: Demand, units: int, unit_hour_cost: Fraction, token_cost: Fraction) -> Fraction:
    """What the period costs with so many units: they in every minute, and what spills by the token."""
    return units * unit_hour_cost * demand.minutes / HOUR_MINUTES + token_cost * demand.spill(units)


def best_units(demand: Demand, unit_hour_cost: Fraction, token_cost: Fraction) -> int:
    """The number of units that are sold at which the period costs least; of numbers that cost the same the lowest.

    Args:
        demand: the period's.
        unit_hour_cost: price of a unit an hour, bought for the whole period.
        token_cost: what a weighted token costs on demand, in the same currency.

    Raises:
        ValueError: a price is negative.
    """
    if unit_hour_cost < 0 or token_cost < 0:
        raise ValueError(f"prices {unit_hour_cost} of a unit and {token_cost} of a token: expected none below zero")
    terms = demand.terms
    most = int(demand.parts.max()) if demand.parts.size else 0
    needed = -(-most // (terms.tokens_per_minute * terms.scale))
    low, high = 0, max(-(-(needed - terms.fewest) // terms.step), 0) + 1 if needed else 0
    while low < high:  # steps pay less the higher they are: the first that does not pay is looked for by halves
        middle = (low + high) // 2
        here, above = (
            units_cost(demand, terms.units_at(at), unit_hour_cost, token_cost) for at in (middle, middle + 1)
        )
        if above < here:
            low = middle + 1
        else:
            high = middle
    return terms.units_at(low)
