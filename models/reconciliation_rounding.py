"""What can be rounding: a bill's costs beside what was expected, line by line and all together.

Of one line it is at most half a unit of the last digit that the bill writes. Of many it has either sign, so that they
hardly ever sum to more than four times what independent lines spread by; what is beyond has a cause.

Here belongs: how much can be rounding. Here does not belong: what is expected.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from models.reconciliation_cells import Charge
from models.reconciliation_sides import PRICE_DIGIT, USD_DIGIT, ZERO

Beside = tuple[Charge, Decimal]
"""A charge and the cost that is expected of it."""

_HALF, _CENT = Decimal("0.5"), Decimal("0.01")
_SPREADS = 4
_VARIANCE = Decimal(1) / 3
"""Of what is equally likely anywhere within one of nothing: here within half a unit, in halves of one."""


def half_a_unit(charges: Iterable[Charge]) -> Decimal:
    """Half a unit of the last digit that the bill of these charges writes, in USD; of a cent without any."""
    return _HALF * min((charge.unit for charge in charges if charge.unit is not None), default=_CENT)


def most(lines: Decimal, half: Decimal) -> Decimal:
    """The most that the rounding of so many lines can sum to, as it plausibly does."""
    return half * min(lines, _SPREADS * (lines * _VARIANCE).sqrt())


def of_products(tokens: Decimal, terms: int) -> Decimal:
    """The most that so many amounts, each a price times some of the tokens at the ledger's scale, are off together."""
    return (terms * USD_DIGIT + abs(tokens) * PRICE_DIGIT).quantize(USD_DIGIT, ROUND_CEILING)


def of_lines(charges: Sequence[Charge], half: Decimal) -> Decimal:
    """The most that the bill's own rounding of these charges is, and that of the amounts that explain them."""
    by_lines = sum((most(charge.lines, half) + USD_DIGIT for charge in charges), ZERO)
    tokens = sum((abs(charge.tokens) for charge in charges), ZERO)
    # three amounts of each: another price, a factor, another tier
    return by_lines.quantize(USD_DIGIT, ROUND_CEILING) + of_products(tokens, 3 * len(charges) + 2)


def is_rounding(charge: Charge, expected: Decimal, half: Decimal) -> bool:
    """Whether a charge differs from what is expected by no more than rounding: of a share of a line its own, too."""
    return abs(charge.cost - expected) <= most(charge.lines, half) + USD_DIGIT


def sums_to_rounding(charges: Sequence[Beside], half: Decimal) -> bool:
    """Whether all of them together do. Single lines of equal tokens are rounded alike: they count as one."""
    alone = {(one.tokens, one.price, one.cost): (one, cost) for one, cost in charges if one.lines == 1}
    distinct = [*alone.values(), *((one, cost) for one, cost in charges if one.lines != 1)]
    differs = sum((one.cost - cost for one, cost in distinct), ZERO)
    lines = sum((one.lines for one, _ in distinct), ZERO)
    return abs(differs) <= most(lines, half) + len(distinct) * USD_DIGIT
