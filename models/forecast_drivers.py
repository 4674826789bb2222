"""A month's end were there more requests, longer ones, or other prices from now on: the forecast, driven.

    usage that is left = requests x tokens of a request x price of a token, each so many times what is forecast
    month's end        = what is settled, awaited or was used already + follows x usage that is left, and the rest as is

What follows is the part of a series' cost that is paid for models' tokens: machines cost what they cost, however much
is asked of them. Quantiles are moved likewise, so that what is uncertain of the days that are left grows as they do.
Where none of them lies below what is settled and awaited, usage is not negative: a quantile that the days that were
used already reach alone has nothing left to move, and stays. All exact; rounded once, to the pico-unit.

Here belongs: that arithmetic. Here does not belong: the forecast itself (`forecasts`), the chance of a breach
(`budgets`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from models.money import money

COST, TOKENS, OUTCOME_COST = "cost", "tokens", "outcome_cost"


@dataclass(frozen=True)
class Drivers:
    """Each to what is forecast of the days that are left: 1 is as forecast, 1.2 a fifth more.

    Raises:
        ValueError: one is negative.
    """

    requests: Fraction = Fraction(1)
    tokens_per_request: Fraction = Fraction(1)
    price: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if min(self.requests, self.tokens_per_request, self.price) < 0:
            raise ValueError(f"{self}: less than nothing can neither be asked nor paid")

    def factor(self, metric: str) -> Fraction:
        """What usage is multiplied by: a number of tokens has no price."""
        tokens = self.requests * self.tokens_per_request
        return tokens if metric == TOKENS else tokens * self.price


@dataclass(frozen=True)
class MonthEnd:
    """Where a month ends: quantiles as `forecasts` has them; None where the forecast has none."""

    p10: Decimal | None
    p50: Decimal | None
    p90: Decimal | None
    quantiles: str | None


def driven(forecast: Mapping[str, Any], drivers: Drivers, follows: Fraction) -> MonthEnd:
    """A row of `forecasts` under other drivers, of which so large a part (0 to 1) of its usage follows.

    A month of which no day is left ends where it was to end.

    Raises:
        ValueError: the part is none.
    """
    if not 0 <= follows <= 1:
        raise ValueError(f"{follows} of the usage follows: expected a part from 0 to 1")
    scale = 1 + follows * (drivers.factor(forecast["metric"]) - 1) if forecast["remaining_days"] else Fraction(1)
    known = Fraction(forecast["settled_amount"]) + Fraction(forecast["scheduled_amount"])
    used = known + Fraction(forecast["unsettled_estimate"] or 0)
    told: dict[str, str] = json.loads(forecast["quantiles"] or "{}")
    is_positive = bool(told) and all(Fraction(value) >= known for value in told.values())

    def moved(amount: Decimal | None) -> Decimal | None:
        if amount is None:
            return None
        left = Fraction(amount) - used
        return money(Fraction(amount) + (scale - 1) * (max(Fraction(0), left) if is_positive else left))

    quantiles = {share: str(moved(Decimal(value))) for share, value in told.items()}
    ends = (moved(forecast[f"month_end_p{share}"]) for share in (10, 50, 90))
    return MonthEnd(*ends, quantiles=json.dumps(quantiles) if quantiles else None)
