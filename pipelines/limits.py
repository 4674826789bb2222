"""How far a restatement may go before people are asked."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Limits:
    """Of what was there, what must stay and what may have come instead.

    A restated bill changes lines and drops some; it does not lose a quarter of them, nor does half of it come anew.
    """

    least_share: Decimal = Decimal("0.75")
    most_share: Decimal = Decimal("1.5")
