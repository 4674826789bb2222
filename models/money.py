"""Money as whole pico-units: exact conversions between decimals and integers; what rounds says so.

Here belongs: the one scale at which money is split (1e-12 of a currency unit, the scale of DECIMAL(38,12)), the checks
that a figure fits it, and the two ways in which an exact figure is rounded once: to that scale, and to the nearest
double where an estimate begins. Here does not belong: rates, currencies, allocation.
"""

from decimal import Decimal
from fractions import Fraction

import polars as pl

SCALE = 12
"""Decimal places of the ledger: DECIMAL(38,12)."""

MAX_UNITS = 10**38 - 1
"""Largest magnitude that DECIMAL(38,12) holds, in pico-units."""

MONEY = pl.Decimal(38, SCALE)
"""The ledger's type in frames. Its physical form is a 128-bit integer of pico-units."""


def to_scaled(amount: Decimal, *, digits: int, scale: int) -> int:
    """The amount times 10**scale, exactly, where `digits` is the precision of the DECIMAL(digits, scale) it must fit.

    Raises:
        ValueError: it is not finite, or has more than `scale` decimal places.
        OverflowError: it needs more than `digits` digits.
    """
    if not amount.is_finite():
        raise ValueError(f"{amount} is not an amount: expected a finite decimal")
    if amount and amount.adjusted() + scale >= digits:
        raise OverflowError(f"{amount} does not fit DECIMAL({digits},{scale})")
    sign, found, exponent = amount.as_tuple()
    coefficient = int("".join(map(str, found)))
    shift = int(exponent) + scale
    scaled, rest = (coefficient * 10**shift, 0) if shift >= 0 else divmod(coefficient, 10 ** min(-shift, len(found)))
    if rest:
        raise ValueError(f"{amount} has more than {scale} decimal places: rounding it would lose money")
    return -scaled if sign else scaled


def amount_of(units: int) -> Decimal:
    """Pico-units as an amount, exactly: the constructor is exact, where decimal arithmetic has a precision."""
    return Decimal(f"{units}e-{SCALE}")


def money(amount: Fraction) -> Decimal:
    """An exact amount to the pico-unit, half even: an estimate or a part, of which no posting is made as it stands."""
    return amount_of(round(amount * 10**SCALE))


def nearest_double(exact: Decimal | Fraction) -> float:
    """The double nearest to a decimal or fraction, rounded once: for ratios and estimates, of which no money is made.

    Raises:
        OverflowError: it is larger than any double. ValueError: it is not a number.
    """
    over, under = exact.as_integer_ratio()
    return over / under


def units_of(column: str) -> pl.Expr:
    """A MONEY column as 128-bit integers of pico-units: the same bits, no arithmetic."""
    return pl.col(column).to_physical()


def money_of(column: str) -> pl.Expr:
    """A column of 128-bit pico-units as MONEY: the same bits, no arithmetic. `check_range` says when that is safe."""
    return pl.col(column).reinterpret(dtype=MONEY)


def check_range(frame: pl.DataFrame, column: str) -> None:
    """Makes sure that no sum of rows of a column of pico-units can leave DECIMAL(38,12).

    128-bit sums wrap silently, so this is asked before the first sum. Raises OverflowError naming the column.
    """
    if frame.is_empty():
        return
    low, high = frame.select(low=pl.col(column).min(), high=pl.col(column).max()).row(0)
    largest = max(abs(low or 0), abs(high or 0))
    if largest * frame.height > MAX_UNITS and sum(map(abs, frame[column].to_list())) > MAX_UNITS:
        raise OverflowError(f"{column}: the amounts sum to more than DECIMAL(38,{SCALE}) holds")
