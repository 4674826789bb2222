"""The price and factor that give what a bill charges: of the book, at one discount or margin, but for rounding.

Here belongs: finding them. Here does not belong: what they mean in money (`reconciliation_rate`).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from models.reconciliation_cells import Charge, price_rounded
from models.reconciliation_factors import HALF, ONE, by_class, common_factor
from models.reconciliation_mixes import mixes_of
from models.reconciliation_prices import OtherPrice, OtherPrices
from models.reconciliation_rounding import is_rounding, most, sums_to_rounding
from models.reconciliation_sides import DEFAULT, ZERO, Key


class Fit(NamedTuple):
    """A price and a factor that give the billed cost; `other` is None where the price is the one that holds.

    `is_near` where something else is billed beside it that nothing explains.
    """

    other: OtherPrice | None
    factor: Decimal
    is_near: bool = False

    def price(self, charge: Charge) -> Decimal:
        """The price of one token of the charge."""
        return charge.price if self.other is None else self.other.usd_per_token

    def cost(self, charge: Charge) -> Decimal:
        """What the charge should cost then."""
        return self.factor * self.price(charge) * charge.tokens


Fits = dict[tuple[Key, str | None], Fit | None]


def fit_all(charges: Sequence[Charge], own: Mapping[str, Decimal], factor: Decimal, other_prices: OtherPrices) -> Fits:
    """The price and factor of every charge of an account, None where nothing gives its cost.

    Args:
        charges: of an account in a period.
        own: at which each model stands (`own_factors`): asked before the account's, as small lines fit both.
        factor: at which most of them stand.
        other_prices: what the book has for other times, tiers and context lengths.
    """
    fits: Fits = {}
    told = {model: at if _is_told(charges, model, at, factor, other_prices) else factor for model, at in own.items()}
    for of_class in by_class(charges):
        factors = [told[of_class[0].key.model], factor, ONE]
        fits |= _unbiased(of_class, _of_class(of_class, factors, other_prices))
    left = sorted((one for one in charges if fits[one.key, one.tier] is None), key=lambda one: one.key.model)
    for _, group in groupby(left, key=lambda one: one.key.model):
        fits |= _of_left(list(group), factor, other_prices)
    fits = _unbiased_in_all(charges, fits)
    return fits | _near_fits(charges, fits, told, other_prices)


def _is_told(charges: Sequence[Charge], model: str, own: Decimal, factor: Decimal, other_prices: OtherPrices) -> bool:
    """Whether lines of a model prove its factor that stand at no other: the account's, or the book's at another time.

    Some short decimal gives any one line in cents, so that it takes two of them; the price of the book is no such one.
    """
    if own == factor:
        return True
    others, enough = ([factor], 1) if own == ONE else ([factor, ONE], 2)
    of_own = [one for one in charges if one.key.model == model and _fit([one], [own], other_prices)]
    return sum(_fit([one], others, other_prices) is None for one in of_own) >= enough


def _of_left(of_model: Sequence[Charge], factor: Decimal, other_prices: OtherPrices) -> Fits:
    """The fits of those charges of a model that no factor known so far gives: at one of their own, or at two prices."""
    own = common_factor(of_model, other_prices) if len(of_model) > 1 else ONE
    found: Fits = {(one.key, one.tier): _fit([one], [own], other_prices) for one in of_model}
    if own != ONE and sum(fit is not None for fit in found.values()) < 2:
        found = dict.fromkeys(found)
    for of_class in by_class(of_model):
        found |= _unbiased(of_class, {(one.key, one.tier): found[one.key, one.tier] for one in of_class})
    of_none = [one for one in of_model if found[one.key, one.tier] is None]
    for at in dict.fromkeys((factor, own, ONE)) if of_none else ():
        mixes = mixes_of([one for one in of_none if found[one.key, one.tier] is None], at, other_prices)
        found |= {place: Fit(mix, at) for place, mix in mixes.items()}
    return found


def _near_fits(charges: Sequence[Charge], fits: Fits, own: Mapping[str, Decimal], other_prices: OtherPrices) -> Fits:
    """The fits of others for charges that no price gives, where they explain most: a cent too much hides no discount.

    What is left is at most half of what the fit explains, so that less is unexplained than was without it, and a line
    that is nearer to the price that holds, or as far beyond the factor, is at another price and at no discount.
    """
    found: Fits = {}
    for one in charges:
        if fits[one.key, one.tier] is not None:
            continue
        fit = fit_beside(one, charges, fits, own[one.key.model], other_prices)
        if 2 * abs(one.cost - fit.cost(one)) <= abs(fit.cost(one) - one.listed):
            found[one.key, one.tier] = fit._replace(is_near=True)
    return found


def price_between(charge: Charge, factor: Decimal, other_prices: OtherPrices) -> Decimal:
    """The average price of a day that has several: where the log lacks rows, the bill says at which.

    Where all that is billed is at one of them that holds all day, of a tier or context length, so is what the log
    lacks. Else it is the average nearest to the log's at which the bill's cost stands, if what the log lacks then
    stands between the day's prices; else the log's, as where the log lacks nothing.

    Args:
        charge: of a day with several prices.
        factor: at which its model stands (`own_factor`): at another one the difference would be told as two.
        other_prices: what the book has for other times, tiers and context lengths.
    """
    log_s, tokens = charge.price, charge.tokens
    if not charge.lacking:
        return log_s
    if charge.lacking > 0 and (one := _one_price(charge, factor, other_prices)) is not None:
        return price_rounded((charge.moved_cost + one * charge.lacking) / tokens)
    # half of what the bill's rounding leaves open, so that no digit of the price leads out of it
    margin = HALF * most(charge) / factor
    at_factor = charge.cost / factor
    nearest = min(max(log_s, (at_factor - margin) / tokens), (at_factor + margin) / tokens)
    charge.price = price_rounded(nearest)
    slack = margin / abs(charge.lacking)
    is_between = min(charge.prices) - slack <= charge.lacking_price <= max(charge.prices) + slack
    return charge.price if is_between else log_s


def fit_beside(
    charge: Charge, charges: Sequence[Charge], fits: Fits, factor: Decimal, other_prices: OtherPrices
) -> Fit:
    """The fit of a charge whose cost is not its own alone: that of its class on the nearest day of its price.

    Without such a day it is the factor of the model's nearest, without one of these the account's. What the book does
    not have as a price of the charge's own tier is no price of it: another tier's, or what two came to on another day.
    """

    def distance(known: tuple[Charge, Fit]) -> tuple[bool, bool, int, Key]:
        one = known[0]
        is_other = one.key.token_class != charge.key.token_class
        return is_other, one.price != charge.price, abs((one.key.day - charge.key.day).days), one.key

    known = [(one, fit) for one in charges if one.key.model == charge.key.model and (fit := fits[one.key, one.tier])]
    if not known:
        return Fit(None, factor)
    nearest, fit = min(known, key=distance)
    is_same = nearest.key.token_class == charge.key.token_class
    is_known = is_same and fit.other in (None, *other_prices(charge.key, charge.tier or DEFAULT))
    return Fit(fit.other if is_known else None, fit.factor)


def price_at(charge: Charge, fit: Fit) -> Decimal:
    """The average price of a charge whose fit is that of others: what the log lacks is at the price that it names."""
    is_several = fit.other is not None and len(charge.prices) > 1 and fit.other.usd_per_token in charge.prices
    if fit.other is None or not is_several or charge.lacking <= 0 or not fit.other.holds(charge):
        return charge.price
    return price_rounded((charge.moved_cost + fit.other.usd_per_token * charge.lacking) / charge.tokens)


def _one_price(charge: Charge, factor: Decimal, other_prices: OtherPrices) -> Decimal | None:
    """The price of the log that holds all day and gives the whole cost, if there is one."""
    for other in other_prices(charge.key, charge.tier or DEFAULT):
        price = other.usd_per_token
        if price in charge.prices and other.holds(charge) and is_rounding(charge, factor * price * charge.tokens):
            return price
    return None


def _of_class(charges: Sequence[Charge], factors: Sequence[Decimal], other_prices: OtherPrices) -> Fits:
    """One price and factor for all days of a class if there is one, as small lines fit several; else each its own."""
    together = _fit(charges, factors, other_prices)
    return {(charge.key, charge.tier): together or _fit([charge], factors, other_prices) for charge in charges}


def _fit(charges: Sequence[Charge], factors: Iterable[Decimal], other_prices: OtherPrices) -> Fit | None:
    """The first price and factor that give the cost of all charges: the price that holds before any other one."""
    first = charges[0]
    for factor in dict.fromkeys(factors):
        for other in (None, *other_prices(first.key, first.tier or DEFAULT)):
            fit = Fit(other, factor)
            expected = [(charge, fit.cost(charge)) for charge in charges]
            is_near = all(is_rounding(charge, cost) for charge, cost in expected)
            if is_near and sums_to_rounding(expected):
                return fit
    return None


def _unbiased(charges: Sequence[Charge], fits: Fits) -> Fits:
    """The fits of a class without those from which its days differ one way: that is no rounding, though each may be."""
    kept = dict(fits)
    for fit in {fit for fit in fits.values() if fit is not None}:
        at_fit = [(one, fit.cost(one)) for one in charges if fits[one.key, one.tier] == fit]
        if not sums_to_rounding(at_fit):
            kept |= {(one.key, one.tier): None for one, _ in at_fit}
    return kept


def _unbiased_in_all(charges: Sequence[Charge], fits: Fits) -> Fits:
    """The same of an account: while its classes differ one way in all, the one that differs most loses its fits."""
    kept = dict(fits)
    while True:
        beside = [(one, fit.cost(one)) for one in charges if (fit := kept[one.key, one.tier]) is not None]
        if sums_to_rounding(beside):
            return kept
        sums: dict[tuple[str, str], Decimal] = {}
        for one, cost in beside:
            name = one.key.model, one.key.token_class
            sums[name] = sums.get(name, ZERO) + one.cost - cost
        worst = max(sums, key=lambda name: (abs(sums[name]), name))
        kept |= {(one.key, one.tier): None for one, _ in beside if (one.key.model, one.key.token_class) == worst}
