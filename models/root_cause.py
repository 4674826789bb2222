"""Why a sum changed: price, volume and mix of what it is made of, and which of its parts the change surprises in.

All decompositions add up to the change: price, volume and mix together, and the parts of each dimension by themselves.

Here belongs: arithmetic of differences. Here does not belong: which periods are compared, what a finding is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import TypeVar

LEAST_TOTAL_EXPLAINED = Decimal("0.67")
LEAST_ELEMENT_EXPLAINED = Decimal("0.1")
_PRECISION = 60
_ZERO = Decimal(0)
_Thing = TypeVar("_Thing")


@dataclass(frozen=True)
class Line:
    """What one kind of thing came to: a quantity in any unit, and its money."""

    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True)
class PriceVolumeMix:
    """The three parts of a change of cost. They add up to it."""

    volume_cost: Decimal
    mix_cost: Decimal
    price_cost: Decimal


def price_volume_mix(
    before: Mapping[_Thing, Line], after: Mapping[_Thing, Line], *, places: int = 12
) -> PriceVolumeMix:
    """Splits the change of cost of a mix of things, each with a quantity, into three parts.

    With Q the sum of quantities, m = q / Q the share of a thing, p = cost / q its price, P = sum(m0 * p0):

        volume = (Q1 - Q0) * P      mix = Q1 * sum((m1 - m0) * p0)      price = Q1 * sum(m1 * (p1 - p0))

    A thing that is new has no price before: it is measured at its price now, so that all of it is mix and none price.
    Volume and mix are rounded half-even to `places`; price is what is left, so that the sum is exact.

    Args:
        before: the things and what they came to.
        after: likewise, later. Units of quantity are the same.
        places: decimal places of money.
    """
    with localcontext() as context:
        context.prec = _PRECISION
        cost_before = sum((line.cost for line in before.values()), _ZERO)
        change = sum((line.cost for line in after.values()), _ZERO) - cost_before
        total_before = sum((line.quantity for line in before.values()), _ZERO)
        total_after = sum((line.quantity for line in after.values()), _ZERO)
        if not total_before or not total_after:
            return PriceVolumeMix(change, _ZERO, _ZERO)
        step = Decimal(1).scaleb(-places)
        volume = ((total_after - total_before) * cost_before / total_before).quantize(step)
        mix = _ZERO
        for name in {*before, *after}:
            old, new = before.get(name, Line(_ZERO, _ZERO)), after.get(name, Line(_ZERO, _ZERO))
            known = old if old.quantity else new
            price = known.cost / known.quantity if known.quantity else _ZERO
            mix += total_after * (new.quantity / total_after - old.quantity / total_before) * price
        mix = mix.quantize(step)
        return PriceVolumeMix(volume, mix, change - volume - mix)


@dataclass(frozen=True)
class Element:
    """One value of a dimension: what was expected of it, what it came to, its share of the change, its surprise."""

    dimension: str
    name: str
    expected_cost: Decimal
    observed_cost: Decimal
    explained_ratio: Decimal
    surprise: Decimal

    @property
    def change_cost(self) -> Decimal:
        """Its part of the change. Those of a dimension add up to the whole."""
        return self.observed_cost - self.expected_cost


@dataclass(frozen=True)
class Explanation:
    """A dimension's smallest set of elements that explains a change, most surprising first."""

    dimension: str
    elements: tuple[Element, ...]
    surprise: Decimal


Costs = Mapping[str, tuple[Decimal, Decimal]]
"""By element: what was expected, what it came to."""


def adtributor(dimensions: Mapping[str, Costs], *, most: int = 3) -> list[Explanation]:
    """The dimensions that explain a change, most surprising first.

    Of element j of dimension i with expectation F_ij and outcome A_ij, of which F and A are the sums:

        explanatory power  EP = (A_ij - F_ij) / (A - F)
        surprise  S = (p ln(2p / (p + q)) + q ln(2q / (p + q))) / 2,   p = F_ij / F,  q = A_ij / A

    Elements are taken by falling surprise, those with EP >= 0.1, until their EP comes to 0.67; a dimension whose
    elements do not come to that explains nothing. Source: Bhagwan et al., Adtributor (NSDI 2014), section 4.

    Args:
        dimensions: by name of the dimension; the elements of each add up to the same sums.
        most: how many dimensions to return.
    """
    found: list[Explanation] = []
    for dimension, costs in dimensions.items():
        taken: list[Element] = []
        explained = _ZERO
        for element in sorted(_elements(dimension, costs), key=lambda element: (-element.surprise, element.name)):
            if element.explained_ratio < LEAST_ELEMENT_EXPLAINED:
                continue
            taken.append(element)
            explained += element.explained_ratio
            if explained > LEAST_TOTAL_EXPLAINED:
                found.append(Explanation(dimension, tuple(taken), sum((one.surprise for one in taken), _ZERO)))
                break
    return sorted(found, key=lambda explanation: (-explanation.surprise, explanation.dimension))[:most]


def _elements(dimension: str, costs: Costs) -> Sequence[Element]:
    expected = sum((before for before, _ in costs.values()), _ZERO)
    observed = sum((after for _, after in costs.values()), _ZERO)
    if observed == expected:
        return []
    return [
        Element(
            dimension,
            name,
            before,
            after,
            (after - before) / (observed - expected),
            _surprise(_share(before, expected), _share(after, observed)),
        )
        for name, (before, after) in costs.items()
    ]


def _share(part: Decimal, whole: Decimal) -> Decimal:
    """A share of a whole; what is negative (a credit), and a part of nothing, has none."""
    return max(_ZERO, part / whole) if whole > 0 else _ZERO


def _surprise(before: Decimal, after: Decimal) -> Decimal:
    """One term of Jensen and Shannon's divergence, in nats."""
    middle = (before + after) / 2
    return sum((share * (share / middle).ln() for share in (before, after) if share), _ZERO) / 2
