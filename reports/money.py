"""Money on paper: rounding that foots, and figures as people read them.

Here belongs: display rounding and formatting. Here does not belong: any rounding of what is stored or posted.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import reduce

from models.minor_units import minor_unit

ZERO = Decimal(0)
EXACT = Context(prec=76)  # twice the 38 digits of a ledger amount: no sum here can be rounded by its context
MINUS = "\N{MINUS SIGN}"


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, with no digit lost."""
    return reduce(EXACT.add, amounts, ZERO)


def round_to(amount: Decimal, unit: Decimal) -> Decimal:
    """`amount` to the nearest `unit` (a power of ten), halves away from zero. Zero is never negative."""
    rounded = amount.quantize(unit, rounding=ROUND_HALF_UP, context=EXACT)
    return abs(rounded) if rounded.is_zero() else rounded


def apportion(amounts: Sequence[Decimal], target: Decimal, unit: Decimal) -> list[Decimal]:
    """`amounts` rounded to `unit` so that they add up to `target`, which must be a multiple of it.

    Largest remainder (Hamilton): every amount is floored, and the units still missing go to those with the largest
    remainders, earlier ones first. With `target` the rounded sum, each result is within one unit of its amount,
    and an amount that needs no rounding keeps its value.
    """
    if not amounts:
        return []
    scale = -int(unit.adjusted())
    scaled = [amount.scaleb(scale, EXACT) for amount in amounts]
    floors = [value.to_integral_value(ROUND_FLOOR, EXACT) for value in scaled]
    missing = int(EXACT.subtract(target.scaleb(scale, EXACT), exact_sum(floors)))
    each, extra = divmod(missing, len(amounts))
    by_remainder = sorted(range(len(amounts)), key=lambda i: (EXACT.subtract(floors[i], scaled[i]), i))
    rounded_up = set(by_remainder[:extra])
    units = [EXACT.add(floor, Decimal(each + (i in rounded_up))) for i, floor in enumerate(floors)]
    return [round_to(value.scaleb(-scale, EXACT), unit) for value in units]


def format_number(value: Decimal) -> str:
    """Digits in groups of three, a real minus sign, as many decimals as the value has."""
    return f"{MINUS if value < 0 else ''}{abs(value):,f}"


def format_money(amount: Decimal, currency: str, *, signed: bool = False) -> str:
    """Money such as $1,234.50, −$3.00 or JPY 1,200; with `signed`, a plus sign before what is above zero."""
    rounded = round_to(amount, minor_unit(currency))
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    symbol = "$" if currency == "USD" else f"{currency}\N{NO-BREAK SPACE}"
    return f"{sign}{symbol}{abs(rounded):,f}"


def format_ratio(ratio: Decimal, *, signed: bool = False) -> str:
    """A ratio as per cent with one decimal, such as 12.5 %."""
    percent = round_to(ratio.scaleb(2, EXACT), Decimal("0.1"))
    sign = "+" if signed and percent > 0 else ""
    return f"{sign}{format_number(percent)}\N{NARROW NO-BREAK SPACE}%"
