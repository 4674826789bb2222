"""The price and factor that give what a bill charges: of the book, at one discount or margin, but for rounding.

Here belongs: finding them. Here does not belong: what they mean in money (`reconciliation_rate`).
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from models.reconciliation_cells import Charge, price_rounded
from models.reconciliation_rounding import is_rounding, most, sums_to_rounding
from models.reconciliation_sides import DEFAULT, ZERO, Key

ONE, HALF = Decimal(1), Decimal("0.5")
FACTOR_DIGITS = range(1, 7)
LOWEST_FACTOR, HIGHEST_FACTOR = Decimal("0.5"), Decimal("1.5")
"""A factor beyond these is no discount and no margin."""


class OtherPrice(NamedTuple):
    """A price that the book has for the same model and class, at another time, tier or context length."""

    usd_per_token: Decimal
    cause: str
    evidence: str


class Fit(NamedTuple):
    """A price and a factor that give the billed cost; `other` is None where the price is the one that holds."""

    other: OtherPrice | None
    factor: Decimal

    def price(self, charge: Charge) -> Decimal:
        """The price of one token of the charge."""
        return charge.price if self.other is None else self.other.usd_per_token

    def cost(self, charge: Charge) -> Decimal:
        """What the charge should cost then."""
        return self.factor * self.price(charge) * charge.tokens


OtherPrices = Callable[[Key, str], Iterable[OtherPrice]]
Fits = dict[tuple[Key, str | None], Fit | None]


def fit_all(charges: Sequence[Charge], factor: Decimal, other_prices: OtherPrices, half: Decimal) -> Fits:
    """The price and factor of every charge of an account, None where nothing gives its cost.

    Args:
        charges: of an account in a period.
        factor: at which most of them stand.
        other_prices: what the book has for other times, tiers and context lengths.
        half: half a unit of the bill's last digit.
    """
    fits: Fits = {}
    for of_class in _grouped(charges, lambda charge: (charge.key.model, charge.key.token_class, charge.tier or "")):
        fits |= _unbiased(of_class, _of_class(of_class, [factor, ONE], other_prices, half), half)
    for of_model in _grouped([one for one in charges if fits[one.key, one.tier] is None], lambda one: (one.key.model,)):
        own = common_factor(of_model, half) if len(of_model) > 1 else ONE
        found = {(one.key, one.tier): _fit([one], [own], other_prices, half) for one in of_model}
        for of_class in _grouped(of_model, lambda one: (one.key.token_class, one.tier or "")):
            found |= _unbiased(of_class, {(one.key, one.tier): found[one.key, one.tier] for one in of_class}, half)
        fits |= found
    return _unbiased_in_all(charges, fits, half)


def price_between(charge: Charge, factor: Decimal, half: Decimal) -> Decimal:
    """The average price of a day on which a price changes: where the log lacks rows, the bill says at which.

    It is the average nearest to the log's at which the bill's cost stands, if what the log lacks then stands between
    the day's prices; else the log's, as where the log lacks nothing: the factor may be that of other models.
    """
    log_s, tokens = charge.price, charge.tokens
    if not charge.lacking:
        return log_s
    # half of what the bill's rounding leaves open, so that no digit of the price leads out of it
    margin = HALF * most(charge.lines, half) / factor
    at_factor = charge.cost / factor
    nearest = min(max(log_s, (at_factor - margin) / tokens), (at_factor + margin) / tokens)
    charge.price = price_rounded(nearest)
    slack = margin / abs(charge.lacking)
    is_between = min(charge.prices) - slack <= charge.lacking_price <= max(charge.prices) + slack
    return charge.price if is_between else log_s


def common_factor(charges: Sequence[Charge], half: Decimal) -> Decimal:
    """Of the price, what at least half of the cost stands at: the shortest decimal that does it, 1 if none does.

    One from which the charges differ by rounding in all, too, is preferred to one from which each does alone.
    """
    ratios = sorted((charge.cost / charge.listed, abs(charge.listed)) for charge in charges if charge.listed)
    enough = sum((weight for _, weight in ratios), ZERO) / 2
    if not ratios:
        return ONE
    passed, middle = ZERO, ONE
    for ratio, weight in ratios:
        passed, middle = passed + weight, ratio
        if passed >= enough:
            break
    each: list[Decimal] = []
    for factor in (ONE, *(middle.quantize(ONE.scaleb(-digits)) for digits in FACTOR_DIGITS)):
        beside = [(charge, factor * charge.listed) for charge in charges]
        at_factor = [(charge, cost) for charge, cost in beside if is_rounding(charge, cost, half)]
        listed = sum((abs(charge.listed) for charge, _ in at_factor), ZERO)
        if LOWEST_FACTOR <= factor <= HIGHEST_FACTOR and listed >= enough:
            if sums_to_rounding(at_factor, half):
                return factor
            each.append(factor)
    return each[0] if each else ONE


def _grouped(charges: Iterable[Charge], name: Callable[[Charge], tuple[str, ...]]) -> list[list[Charge]]:
    in_order = sorted(charges, key=lambda charge: (name(charge), charge.key, charge.tier or ""))
    return [list(group) for _, group in groupby(in_order, key=name)]


def _of_class(charges: Sequence[Charge], factors: Sequence[Decimal], other_prices: OtherPrices, half: Decimal) -> Fits:
    """One price and factor for all days of a class if there is one, as small lines fit several; else each its own."""
    together = _fit(charges, factors, other_prices, half)
    return {(charge.key, charge.tier): together or _fit([charge], factors, other_prices, half) for charge in charges}


def _fit(charges: Sequence[Charge], factors: Iterable[Decimal], other_prices: OtherPrices, half: Decimal) -> Fit | None:
    """The first price and factor that give the cost of all charges: the price that holds before any other one."""
    first = charges[0]
    for factor in dict.fromkeys(factors):
        for other in (None, *other_prices(first.key, first.tier or DEFAULT)):
            fit = Fit(other, factor)
            expected = [(charge, fit.cost(charge)) for charge in charges]
            is_near = all(is_rounding(charge, cost, half) for charge, cost in expected)
            if is_near and sums_to_rounding(expected, half):
                return fit
    return None


def _unbiased(charges: Sequence[Charge], fits: Fits, half: Decimal) -> Fits:
    """The fits of a class without those from which its days differ one way: that is no rounding, though each may be."""
    kept = dict(fits)
    for fit in {fit for fit in fits.values() if fit is not None}:
        at_fit = [(one, fit.cost(one)) for one in charges if fits[one.key, one.tier] == fit]
        if not sums_to_rounding(at_fit, half):
            kept |= {(one.key, one.tier): None for one, _ in at_fit}
    return kept


def _unbiased_in_all(charges: Sequence[Charge], fits: Fits, half: Decimal) -> Fits:
    """The same of an account: while its classes differ one way in all, the one that differs most loses its fits."""
    kept = dict(fits)
    while True:
        beside = [(one, fit.cost(one)) for one in charges if (fit := kept[one.key, one.tier]) is not None]
        if sums_to_rounding(beside, half):
            return kept
        sums: dict[tuple[str, str], Decimal] = {}
        for one, cost in beside:
            name = one.key.model, one.key.token_class
            sums[name] = sums.get(name, ZERO) + one.cost - cost
        worst = max(sums, key=lambda name: (abs(sums[name]), name))
        kept |= {(one.key, one.tier): None for one, _ in beside if (one.key.model, one.key.token_class) == worst}
