"""How sure a ratio of two sums is, such as cost over successes, from sums over the traces that both are made of.

Here belongs: the two intervals. Here does not belong: which traces, or when a ratio is told (`models.unit_costs`).

Sources: the delta method for a ratio of means over clusters (Cochran, Sampling Techniques, 3rd ed., ch. 6); Fieller,
Some problems in interval estimation, Journal of the Royal Statistical Society B 16 (1954), for a denominator that is
itself uncertain.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal, NamedTuple

Z95 = Decimal("1.959963984540054")  # two-sided 95 % of a normal distribution
FIELLER_FROM = Decimal("0.05")
"""From which relative uncertainty on (the denominator's squared half interval over its square) Fieller's is taken."""

_DIGITS = 60  # squares of large sums are taken from each other: what is left may not be what was cut off


class Interval(NamedTuple):
    """A 95 % interval, in the ratio's unit, and the method that it is from."""

    low: Decimal
    high: Decimal
    method: Literal["delta", "fieller"]


@dataclass(frozen=True)
class Sums:
    """Sums over clusters of a numerator c and a denominator n: of each, of squares and of products; and how many."""

    clusters: int
    c: Decimal
    n: Decimal
    cc: Decimal
    nn: Decimal
    cn: Decimal


def ratio_interval(sums: Sums) -> Interval | None:
    """The 95 % interval of c/n: by the delta method, or Fieller's where the denominator is uncertain.

    None where there are fewer than two clusters, the denominator is not positive, or so uncertain that zero is among
    its plausible values: then no finite interval covers the ratio.
    """
    if sums.clusters < 2 or sums.n <= 0:
        return None
    with localcontext(prec=_DIGITS):
        return delta_interval(sums) if uncertainty(sums) < FIELLER_FROM else fieller_interval(sums)


def uncertainty(sums: Sums) -> Decimal:
    """Fieller's g: the square of the denominator's half interval over the denominator."""
    return Z95**2 * _centred(sums, sums.nn, sums.n, sums.n) / sums.n**2


def delta_interval(sums: Sums) -> Interval:
    """R ± z sqrt(m/(m-1) Σ(c - Rn)²) / Σn, which is symmetric; for two clusters or more, and a positive denominator."""
    ratio = sums.c / sums.n
    squares = sums.cc - 2 * ratio * sums.cn + ratio**2 * sums.nn
    half = Z95 * (max(Decimal(0), squares) * sums.clusters / (sums.clusters - 1)).sqrt() / sums.n
    return Interval(ratio - half, ratio + half, "delta")


def fieller_interval(sums: Sums) -> Interval | None:
    """The ratios R for which (C - RN)² ≤ z² Var(C - RN): None where they are no finite interval."""
    square = Z95**2
    a = sums.n**2 - square * _centred(sums, sums.nn, sums.n, sums.n)
    b = sums.c * sums.n - square * _centred(sums, sums.cn, sums.c, sums.n)
    d = sums.c**2 - square * _centred(sums, sums.cc, sums.c, sums.c)
    inside = b**2 - a * d
    if a <= 0 or inside < 0:
        return None
    return Interval((b - inside.sqrt()) / a, (b + inside.sqrt()) / a, "fieller")


def _centred(sums: Sums, products: Decimal, one: Decimal, other: Decimal) -> Decimal:
    """The estimated covariance of two totals: m/(m-1) (Σxy - ΣxΣy/m)."""
    return (products - one * other / sums.clusters) * sums.clusters / (sums.clusters - 1)
