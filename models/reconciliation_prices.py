"""The prices that the book has for a class beside the one that holds: of other times, tiers, contexts and regions.

Here belongs: what it means that a bill stands at one of them. Here does not belong: finding which it does.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from models.reconciliation_cells import Charge
from models.reconciliation_sides import Key


class OtherPrice(NamedTuple):
    """A price of the book. `is_special` is that of another tier, context length or region than was asked for."""

    usd_per_token: Decimal
    is_special: bool
    tier: str
    valid_from: datetime
    valid_to: datetime

    def cause(self, charge: Charge) -> str:
        """What a charge that stands at it differs by: one that holds all day is no price of another time."""
        return "tier" if self.is_special or self.holds(charge) else "price_staleness"

    def evidence(self, charge: Charge) -> str:
        """The price in words, as it proves the cause."""
        name = self.tier if self.cause(charge) == "tier" else "the price"
        return f"{name} of {self.valid_from:%Y-%m-%d} to {self.valid_to:%Y-%m-%d}"

    def holds(self, charge: Charge) -> bool:
        """Whether it holds throughout the bill's day."""
        return self.valid_from <= charge.begins and charge.ends <= self.valid_to

    def is_past(self, charge: Charge) -> bool:
        """Whether the book had it before the bill's day, and no longer: what a bill can have forgotten to change."""
        return not self.is_special and self.valid_to < charge.ends


OtherPrices = Callable[[Key, str], Iterable[OtherPrice]]
"""The prices of a class on a day, by its key and tier: those of the tier and shortest context first."""
