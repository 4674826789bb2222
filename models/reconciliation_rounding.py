"""What can be rounding: a bill's costs beside what was expected, line by line and all together.

Of one line it is at most half a unit of the last digit that the bill writes. Of many it has either sign, so that they
hardly ever sum to more than four times what independent lines spread by; what is beyond has a cause.

Here belongs: how much can be rounding. Here does not belong: what is expected.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from models.reconciliation_cells import Charge
from models.reconciliation_sides import PRICE_DIGIT, USD_DIGIT, ZERO

Beside = tuple[Charge, Decimal]
"""A charge and the cost that is expected of it."""

_MOST = Decimal("0.9")
_SPREADS = 4
_VARIANCE = Decimal(1) / 3
"""Of what is equally likely anywhere within one of nothing: here within half a unit, in halves of one."""


class Units:
    """To which unit each line of an account is rounded, by the last digits that its lines write.

    A line ends early by chance, too: of a bill in six decimals one in ten has five. So a line is rounded to no coarser
    unit than nine in ten lines of its currency write, or coarser ones: cents beside one line of six decimals stay
    cents, and one even dollar beside lines of six decimals is one of theirs. In dollars the units of a currency are
    those of one number times powers of ten.
    """

    def __init__(self, units: Iterable[Decimal | None]) -> None:
        self._counts: dict[tuple[int, ...], Counter[int]] = {}
        for unit in units:
            if unit is not None:
                self._counts.setdefault(_digits(unit), Counter())[unit.adjusted()] += 1

    def of(self, unit: Decimal | None) -> Decimal | None:
        """The unit, in USD, of a line that writes one of this last digit; None without a line."""
        if unit is None:
            return None
        counts = self._counts.get(_digits(unit), Counter())
        passed = 0
        for place in sorted(counts, reverse=True):
            passed += counts[place]
            if place <= unit.adjusted() and passed >= _MOST * counts.total():
                return unit.scaleb(place - unit.adjusted())
        return unit


def _digits(unit: Decimal) -> tuple[int, ...]:
    return unit.normalize().as_tuple().digits


def most(charge: Charge) -> Decimal:
    """The most that the rounding of a charge's lines can sum to, as it plausibly does."""
    return _most([charge])


def _most(charges: Sequence[Charge]) -> Decimal:
    everything = sum((one.lines * one.half for one in charges), ZERO)
    spread = (sum((one.lines * one.half * one.half for one in charges), ZERO) * _VARIANCE).sqrt()
    return min(everything, _SPREADS * spread)


def of_products(tokens: Decimal, terms: int) -> Decimal:
    """The most that so many amounts, each a price times some of the tokens at the ledger's scale, are off together."""
    return (terms * USD_DIGIT + abs(tokens) * PRICE_DIGIT).quantize(USD_DIGIT, ROUND_CEILING)


def of_lines(charges: Sequence[Charge]) -> Decimal:
    """The most that the bill's own rounding of these charges is, and that of the amounts that explain them."""
    by_lines = sum((most(charge) + USD_DIGIT for charge in charges), ZERO)
    tokens = sum((abs(charge.tokens) for charge in charges), ZERO)
    # three amounts of each: another price, a factor, another tier
    return by_lines.quantize(USD_DIGIT, ROUND_CEILING) + of_products(tokens, 3 * len(charges) + 2)


def is_rounding(charge: Charge, expected: Decimal) -> bool:
    """Whether a charge differs from what is expected by no more than rounding: of a share of a line its own, too."""
    return abs(charge.cost - expected) <= most(charge) + USD_DIGIT


def sums_to_rounding(charges: Sequence[Beside]) -> bool:
    """Whether all of them together do. Single lines of equal tokens are rounded alike: they count as one."""
    alone = {(one.tokens, one.price, one.cost): (one, cost) for one, cost in charges if one.lines == 1}
    distinct = [*alone.values(), *((one, cost) for one, cost in charges if one.lines != 1)]
    differs = sum((one.cost - cost for one, cost in distinct), ZERO)
    return abs(differs) <= _most([one for one, _ in distinct]) + len(distinct) * USD_DIGIT
