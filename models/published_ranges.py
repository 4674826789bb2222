"""What others publish of a lever's saving: a range, what it is a part of, and who says so.

Published claims conflict, and each is of something else: of cached input, of eligible requests, of GPU-hours. They are
shown beside a company's own figure. A range is taken of an amount of its own basis alone.

Here belongs: the shape of such a range. Here does not belong: the ranges themselves, which are data.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from models.money import money


@dataclass(frozen=True)
class PublishedRange:
    """A lever's published saving: `low` to `high` of `basis` (ratios), and its source in words."""

    lever: str
    low: Decimal
    high: Decimal
    basis: str
    source: str

    def of(self, amount: Decimal, basis: str) -> tuple[Decimal, Decimal]:
        """The range of an amount, in its currency, half even to the pico-unit.

        Raises:
            ValueError: the amount is of another basis than the range.
        """
        if basis != self.basis:
            raise ValueError(f"the published range of {self.lever} is of {self.basis!r}, not of {basis!r}")
        low, high = (money(Fraction(amount) * Fraction(bound)) for bound in (self.low, self.high))
        return low, high
