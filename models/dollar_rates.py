"""What lists in other currencies ask, in US dollars: at the rate that is stated for the month in which a list was read.

Here belongs: that conversion. Here does not belong: where rates come from, which price of a list counts.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

DOLLAR = "USD"  # of the price book, which lists are held against

UsdRates = Mapping[tuple[str, date], Decimal]
"""Dollars for a unit of a currency, by currency and first day of the month that the rate is stated for."""


def dollars_for(currency: str, day: date, rates: UsdRates) -> Fraction | None:
    """What a unit of the currency is on a day in US dollars; None where no rate is stated for the day's month."""
    if currency == DOLLAR:
        return Fraction(1)
    rate = rates.get((currency, day.replace(day=1)))
    return None if rate is None else Fraction(rate)
