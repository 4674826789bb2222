"""A level of machines bought in steps, a month apart, against the same level bought at once: what a wrong level costs.

Bought at once, all machines are bound until one day, whatever use does meanwhile. Bought in steps, each for the same
term, whoever sees use fall after the first month buys no more than is worth holding then, and the terms end one after
another. Both are looked at from the first month until the last of these terms would end, so that either binds as many
machine-months where use stays as it is: then steps never cost more, as what they miss at first they have at the end,
where it carries lower layers, which are used more. A month's best level is what hindsight would have held in it.

Use in every month has the same hours; from the second month on they are so many per cent of what they were. All exact:
whole numbers and fractions (`commitment_level`). Nothing is renewed and nothing added: what ends runs on demand.

Here belongs: the steps, what is held when, and what that costs. Here does not belong: which level is bought at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from models.commitment_comparison import LADDER_MONTHS, Prices, ladder
from models.commitment_level import Use, best_level, level_cost
from models.mean_month import MONTH_HOURS


@dataclass(frozen=True)
class Laddered:
    """A level in steps and at once; costs of all the months, in the prices' currency.

    Attributes:
        demand_percent: of the use as it was, from the second month on.
        steps: machines bought at the beginning of each month.
        months: months from the first step until the last planned term ends.
        cost: what they cost, bought in steps.
        at_once_cost: what they cost, bought at once.
        best_cost: what they would have cost at each month's best level.
    """

    demand_percent: int
    steps: tuple[int, ...]
    months: int
    cost: Fraction
    at_once_cost: Fraction
    best_cost: Fraction

    @property
    def regret(self) -> Fraction:
        """What the steps cost more than hindsight."""
        return self.cost - self.best_cost

    @property
    def at_once_regret(self) -> Fraction:
        """What buying at once cost more than hindsight."""
        return self.at_once_cost - self.best_cost


def laddered(use: Use, level: int, prices: Prices, term_months: int, demand_percents: Iterable[int]) -> list[Laddered]:
    """The level in steps and at once, at each of these shares of the use from the second month on.

    Args:
        use: of the hours of a typical stretch, which is taken for every month.
        level: machines to commit to.
        prices: of a machine an hour.
        term_months: length of each commitment.
        demand_percents: of the use, each a row.

    Raises:
        ValueError: no hour, no term, a level or a share below zero, or prices as `best_level` refuses them.
    """
    if not use.size or term_months < 1:
        raise ValueError(f"{use.size} hours, a term of {term_months} months: expected one of each at least")
    planned = [after - before for before, after in zip([0, *ladder(level)], ladder(level), strict=False)]
    found: list[Laddered] = []
    for percent in demand_percents:
        if percent < 0:
            raise ValueError(f"{percent} % of the use: expected none below zero")
        later = _Month(use * percent // 100, prices)
        steps = stopped(planned, later.best, term_months)
        months = [_Month(use, prices), *[later] * (term_months + len(planned) - 2)]
        costs = [
            sum((month.cost(count) for month, count in zip(months, held, strict=True)), Fraction(0))
            for held in (
                held_in_steps(steps, term_months),
                held_in_steps([level, *[0] * (LADDER_MONTHS - 1)], term_months),
                [month.best for month in months],
            )
        ]
        found.append(Laddered(percent, tuple(steps), len(months), *costs))
    return found


def stopped(planned: Sequence[int], enough: int, term_months: int) -> list[int]:
    """The steps of somebody who after the first one knows that so many machines are enough, and holds none beyond."""
    steps = list(planned[:1])
    for step in planned[1:]:
        held = sum(steps[-(term_months - 1) :]) if term_months > 1 else 0
        steps.append(min(step, max(enough - held, 0)))
    return steps


def held_in_steps(steps: Sequence[int], term_months: int) -> list[int]:
    """Machines held in each month until the last step's term ends; a step a month, each for the same term."""
    return [
        sum(step for start, step in enumerate(steps) if start <= month < start + term_months)
        for month in range(term_months + len(steps) - 1)
    ]


class _Month:
    """730 hours of some use: the level that is best for them, and what a level costs."""

    def __init__(self, use: Use, prices: Prices) -> None:
        self._use, self._prices = use, prices
        self._costs: dict[int, Fraction] = {}
        self.best = best_level(use, prices.committed, prices.on_demand)

    def cost(self, level: int) -> Fraction:
        """What a month costs with so many machines."""
        if level not in self._costs:
            cost = level_cost(self._use, level, self._prices.committed, self._prices.on_demand)
            self._costs[level] = cost * MONTH_HOURS / len(self._use)
        return self._costs[level]
