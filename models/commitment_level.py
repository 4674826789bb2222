"""How much to commit to: the level at which an hour of one machine more costs as much committed as on demand.

A commitment of C machines is paid in every hour, used or not; what is used beyond it is paid on demand. So layer k, the
k-th machine, is worth committing to where what it would cost on demand, in the hours that use it, is more than its
committed price in all hours: the newsvendor's quantile, F(C) = 1 - committed / on-demand price. The cost is convex in
C: the first layer that does not pay is the last to look at. Source: the empirical form of the newsvendor rule (POMS
2024, doi 10.1177/10591478241251614). All arithmetic is in whole numbers and fractions: no level is decided by rounding.

Here belongs: the level for one kind of use and one price. Here does not belong: which use may be covered by what.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

USE_SCALE = 1_000_000
"""Use is counted in millionths of a machine-hour an hour."""

Use = NDArray[np.int64]


def use_of(hourly: Sequence[int]) -> Use:
    """The use of each hour, in millionths of a machine, zero where nothing ran.

    Raises:
        ValueError: an hour is negative: a correction belongs to the hours that it corrects.
    """
    use = np.asarray(hourly, dtype=np.int64)
    if use.size and int(use.min()) < 0:
        raise ValueError(f"use of {int(use.min())} millionths in an hour: expected none or more")
    return use


def level_cost(use: Use, level: int, committed_price: Fraction, on_demand_price: Fraction) -> Fraction:
    """What the hours cost with a commitment of `level` machines; prices in currency a machine and hour."""
    beyond = int(np.maximum(use - level * USE_SCALE, 0).sum())
    return committed_price * level * len(use) + on_demand_price * Fraction(beyond, USE_SCALE)


def best_level(use: Use, committed_price: Fraction, on_demand_price: Fraction) -> int:
    """The number of machines at which the hours cost least; of levels that cost the same the lowest.

    Raises:
        ValueError: a price is negative, or nothing on demand.
    """
    if committed_price < 0 or on_demand_price <= 0:
        raise ValueError(f"prices {committed_price} committed and {on_demand_price} on demand: expected above zero")
    low, high = 0, -(-int(use.max()) // USE_SCALE) if use.size else 0
    while low < high:  # layers pay less the higher they are: the first that does not pay is looked for by halves
        middle = (low + high) // 2
        if _pays(use, middle, committed_price, on_demand_price):
            low = middle + 1
        else:
            high = middle
    return low


def _pays(use: Use, layer: int, committed_price: Fraction, on_demand_price: Fraction) -> bool:
    """Whether the machine above `layer` others costs less committed than on demand."""
    used = int(np.clip(use - layer * USE_SCALE, 0, USE_SCALE).sum())
    return committed_price * len(use) < on_demand_price * Fraction(used, USE_SCALE)


def regret(use: Use, level: int, percent: int, committed_price: Fraction, on_demand_price: Fraction) -> Fraction:
    """What the level costs more than the best one, were use `percent` of what it was; currency for all hours."""
    shifted = use * percent // 100
    best = best_level(shifted, committed_price, on_demand_price)
    return level_cost(shifted, level, committed_price, on_demand_price) - level_cost(
        shifted, best, committed_price, on_demand_price
    )


def is_falling(daily: Sequence[int], *, significance: float = 0.05) -> bool:
    """Whether daily use has a trend downwards: Mann and Kendall's one-sided test, ties corrected.

    Source: Kendall, Rank Correlation Methods, 4th edition, 1975. Fewer than four days have no trend.
    """
    values = np.asarray(daily, dtype=np.int64)
    count = values.size
    if count < 4:
        return False
    later = np.sign(values[None, :] - values[:, None])
    score = int(np.triu(later, 1).sum())
    ties = np.unique(values, return_counts=True)[1].astype(np.int64)
    spread = count * (count - 1) * (2 * count + 5) - int((ties * (ties - 1) * (2 * ties + 5)).sum())
    if score >= 0 or spread == 0:
        return False
    return NormalDist().cdf((score + 1) / sqrt(spread / 18)) < significance
