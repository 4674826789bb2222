"""Savings of several levers on the same money, without counting any of it twice.

A lever takes a share of a cell's cost away: all of it where the rows need not be, part of it where tokens or their
price fall. Levers act one after another on what those before left, so that

    saving(lever k) = cost after levers 1..k-1 - cost after levers 1..k

and the savings sum to what all levers do together, exactly. Beside that stands Shapley's value: the mean of a lever's
saving over all orders, which has the same sum and prefers nobody for coming first. What a lever would save alone is of
use to compare with others' figures, and does not add up.

Sources: the waterfall is a telescoping sum; L. S. Shapley, A value for n-person games, 1953, over every subset. The
range is a bootstrap of whole clusters (a feature's week), each draw with a share of success of its own.

Here belongs: the arithmetic. Here does not belong: which levers there are, and what they find.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import comb, lcm, prod

import numpy as np
from numpy.typing import NDArray

from models.money import money

DRAWS = 1_000
QUANTILES = (0.1, 0.5, 0.9)
_DIGITS = 9  # of a ratio that was drawn: far finer than a thousand draws tell
_ZERO, _ONE = Fraction(0), Fraction(1)
Acting = tuple[tuple[str, Fraction], ...]
"""The levers that take a part of a cell, in their order, and the part that each takes if it succeeds in full."""


@dataclass(frozen=True)
class Lever:
    """A lever and how much of what it concerns it will really save, from `low` to `high`; any share as likely."""

    name: str
    low: Fraction = _ONE
    high: Fraction = _ONE

    @property
    def mean(self) -> Fraction:
        """The share that is taken where one figure is wanted."""
        return (self.low + self.high) / 2


@dataclass(frozen=True)
class Cell:
    """Cost on which every lever acts alike.

    Attributes:
        cluster: what comes and goes together, as a feature's week; the bootstrap draws whole clusters.
        cost: in one currency.
        shares: by lever, the part of the cost that it takes away if it succeeds in full; 0 where it is not named.
    """

    cluster: str
    cost: Fraction
    shares: Mapping[str, Fraction]


@dataclass(frozen=True)
class Saving:
    """What a lever saves: after the levers before it, as Shapley has it, and alone. The last does not add up."""

    waterfall: Fraction
    shapley: Fraction
    alone: Fraction


def savings(cells: Sequence[Cell], levers: Sequence[Lever]) -> dict[str, Saving]:
    """The saving of each lever in the order given; waterfall and Shapley's value sum to the same whole, exactly.

    Raises:
        ValueError: two levers of one name, or a cell with a lever that is not given.
    """
    _refuse(cells, levers)
    found = {lever.name: [_ZERO, _ZERO, _ZERO] for lever in levers}
    mean = {lever.name: lever.mean for lever in levers}
    for acting, cost in _alike(cells, levers).items():
        parts = [(name, share * mean[name]) for name, share in acting]
        left = cost
        for place, (name, share) in enumerate(parts):
            others = [other for each, (_, other) in enumerate(parts) if each != place]
            taken, sums = left * share, found[name]
            sums[0] += taken
            sums[1] += cost * _shapley(share, others)
            sums[2] += cost * share
            left -= taken
    return {name: Saving(*sums) for name, sums in found.items()}


def _alike(cells: Iterable[Cell], levers: Sequence[Lever]) -> dict[Acting, Fraction]:
    """The cost of all cells of which the same levers take the same shares: a kind of usage is alike week by week."""
    found: dict[Acting, Fraction] = {}
    for cell in cells:
        acting = _acting(cell, levers)
        found[acting] = found.get(acting, _ZERO) + cell.cost
    return found


def _acting(cell: Cell, levers: Sequence[Lever]) -> Acting:
    return tuple((lever.name, cell.shares[lever.name]) for lever in levers if cell.shares.get(lever.name))


def _refuse(cells: Sequence[Cell], levers: Sequence[Lever]) -> None:
    names = {lever.name for lever in levers}
    if len(names) != len(levers):
        raise ValueError(f"{len(levers)} levers of {len(names)} names: each once")
    strange = {name for cell in cells for name in cell.shares} - names
    if strange:
        raise ValueError(f"cells name levers that are not given: {sorted(strange)}")


def _shapley(share: Fraction, others: Sequence[Fraction]) -> Fraction:
    """A lever's mean part of a cell over all orders: what the others leave before it is the product of their rests.

    Products over all subsets of a size are the coefficients of (1 + rest of one x) (1 + rest of another x) ...
    Their numerators are whole numbers over one denominator, which is divided by once.
    """
    products = [1]
    for other in others:
        whole, rest = other.denominator, other.denominator - other.numerator
        products = [one * whole + rest * before for one, before in zip([*products, 0], [0, *products], strict=True)]
    count = len(others)
    orders = [(count + 1) * comb(count, size) for size in range(count + 1)]
    common = lcm(*orders)
    left = sum(one * (common // each) for one, each in zip(products, orders, strict=True))
    return Fraction(share.numerator * left, share.denominator * common * prod(o.denominator for o in others))


def _left(shares: Sequence[Fraction]) -> Fraction:
    left = _ONE
    for share in shares:
        left *= 1 - share
    return left


def combined(cells: Sequence[Cell], levers: Sequence[Lever]) -> Fraction:
    """What all levers save together, worked out apart from their parts."""
    mean = {lever.name: lever.mean for lever in levers}
    kinds = _alike(cells, levers).items()
    return sum((cost * (1 - _left([mean[name] * share for name, share in acting])) for acting, cost in kinds), _ZERO)


def ranges(cells: Sequence[Cell], levers: Sequence[Lever], seed: int = 1) -> dict[str, tuple[Decimal, ...]]:
    """P10, P50 and P90 of each lever's saving in the waterfall; a lever without a saving has none.

    Each draw takes as many clusters as there are, with return, and a share of success of each lever between its bounds.
    The quantiles of several levers do not sum: not all have a bad month at once.
    """
    names = sorted({cell.cluster for cell in cells})
    if not names:
        return {}
    draws = np.random.default_rng(seed)
    chosen = draws.multinomial(len(names), [1 / len(names)] * len(names), size=DRAWS)
    total = sum((abs(cell.cost) for cell in cells), _ZERO)
    kinds, costs = _by_cluster(cells, levers, names, total)
    left = chosen @ costs
    found: dict[str, tuple[Decimal, ...]] = {}
    for lever in levers:
        success = draws.uniform(_ratio(lever.low, _ONE), _ratio(lever.high, _ONE), size=(DRAWS, 1))
        shares = {place: dict(kind)[lever.name] for place, kind in enumerate(kinds) if lever.name in dict(kind)}
        concerned = [*shares]
        taken = left[:, concerned] * success * np.array([_ratio(share, _ONE) for share in shares.values()])
        left[:, concerned] -= taken
        if taken.any():
            quantiles = np.quantile(taken.sum(axis=1), QUANTILES)
            found[lever.name] = tuple(money(total * Fraction(f"{value:.{_DIGITS}f}")) for value in quantiles.tolist())
    return found


def _by_cluster(
    cells: Sequence[Cell], levers: Sequence[Lever], names: Sequence[str], total: Fraction
) -> tuple[list[Acting], NDArray[np.float64]]:
    """What each cluster (row) has of each kind of cell (column) on which the same levers act alike, over the total."""
    kinds: dict[Acting, int] = {}
    sums: dict[tuple[int, int], Fraction] = {}
    rows = {name: row for row, name in enumerate(names)}
    for cell in cells:
        place = rows[cell.cluster], kinds.setdefault(_acting(cell, levers), len(kinds))
        sums[place] = sums.get(place, _ZERO) + cell.cost
    costs = np.zeros((len(names), len(kinds)))
    for place, cost in sums.items():
        costs[place] = _ratio(cost, total)
    return list(kinds), costs


def _ratio(part: Fraction, whole: Fraction) -> np.float64:
    return np.float64(part.numerator * whole.denominator) / np.float64(part.denominator * whole.numerator)


def in_money(parts: Mapping[str, Fraction]) -> dict[str, Decimal]:
    """Parts to the pico-unit that sum to their sum to the pico-unit: what rounding leaves goes to the largest."""
    found = {name: money(part) for name, part in parts.items()}
    if found:
        largest = max(found, key=lambda name: (abs(found[name]), name))
        found[largest] += money(sum(parts.values(), _ZERO)) - sum(found.values(), Decimal(0))
    return found
