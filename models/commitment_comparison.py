"""A commitment held against others on the same hours: other levels, other use, and bought in steps.

Every figure is of one machine type's hours at one committed and one on-demand price, exact: whole numbers and
fractions, as the level itself (`commitment_level`). Use that is so many per cent of what it was has the same shape,
each hour rounded down to a millionth of a machine.

Here belongs: the comparison of one kind of use at one price. Here does not belong: which use may be covered by what,
printing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from models.commitment_level import USE_SCALE, Use, best_level, level_cost

LADDER_MONTHS = 4


@dataclass(frozen=True)
class Prices:
    """What a machine costs an hour, committed and on demand, in one currency."""

    committed: Fraction
    on_demand: Fraction


@dataclass(frozen=True)
class Compared:
    """A level at so many per cent of the use; costs of all the hours, in the prices' currency.

    Attributes:
        demand_percent: of the use as it was.
        level: machines committed to.
        cost: what the hours cost with them.
        on_demand_cost: what they cost without any.
        best: the level at which they would have cost least.
        best_cost: and what then.
        covered: machine-hours that the level carries.
        used: machine-hours of use.
        hours: hours.
    """

    demand_percent: int
    level: int
    cost: Fraction
    on_demand_cost: Fraction
    best: int
    best_cost: Fraction
    covered: Fraction
    used: Fraction
    hours: int

    @property
    def saving(self) -> Fraction:
        """Against having none; negative where the level costs more."""
        return self.on_demand_cost - self.cost

    @property
    def regret(self) -> Fraction:
        """Against the best level."""
        return self.cost - self.best_cost

    @property
    def utilisation(self) -> Fraction | None:
        """Part of the level that is used; None without a level."""
        paid = self.level * self.hours
        return self.covered / paid if paid else None

    @property
    def coverage(self) -> Fraction | None:
        """Part of the use that is covered; None without use."""
        return self.covered / self.used if self.used else None

    @property
    def savings_rate(self) -> Fraction | None:
        """Effective savings rate: part of the cost on demand that is saved; None where that is nothing."""
        return self.saving / self.on_demand_cost if self.on_demand_cost else None


def compared(use: Use, level: int, prices: Prices, demand_percents: Iterable[int]) -> list[Compared]:
    """The level at each of these shares of the use.

    Raises:
        ValueError: a level or a share below zero, or prices as `best_level` refuses them.
    """
    found: list[Compared] = []
    for percent in demand_percents:
        if level < 0 or percent < 0:
            raise ValueError(f"{level} machines at {percent} % of the use: expected none below zero")
        shifted = use * percent // 100
        best = best_level(shifted, prices.committed, prices.on_demand)
        costs = [level_cost(shifted, count, prices.committed, prices.on_demand) for count in (level, 0, best)]
        covered = Fraction(int(shifted.clip(max=level * USE_SCALE).sum()), USE_SCALE)
        used = Fraction(int(shifted.sum()), USE_SCALE)
        found.append(Compared(percent, level, costs[0], costs[1], best, costs[2], covered, used, len(use)))
    return found


def ladder(level: int, months: int = LADDER_MONTHS) -> list[int]:
    """Machines held at the end of each month, when a level is bought in as even steps as whole machines allow.

    No step is more than a share of 1 / months of the level, rounded up: terms then end in as many months.

    Raises:
        ValueError: a level below zero, or no month.
    """
    if level < 0 or months < 1:
        raise ValueError(f"{level} machines in {months} months: expected none below zero, and one month at least")
    return [-(-level * month // months) for month in range(1, months + 1)]
