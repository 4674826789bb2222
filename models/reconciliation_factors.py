"""The discount or margin at which a bill stands: one factor of the price for an account, and that of a model.

A charge at a price that the book had before stands at no factor: that ratio is the price's, not the account's, unless
those charges of which no earlier price gives the cost stand at that very ratio.

Here belongs: telling the factor. Here does not belong: which price and factor give a charge (`reconciliation_fits`).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby

from models.reconciliation_cells import Charge
from models.reconciliation_prices import OtherPrices
from models.reconciliation_rounding import Beside, is_rounding, sums_to_rounding
from models.reconciliation_sides import DEFAULT, ZERO, Key

ONE, HALF = Decimal(1), Decimal("0.5")
FACTOR_DIGITS = range(1, 7)
LOWEST_FACTOR, HIGHEST_FACTOR = Decimal("0.5"), Decimal("1.5")
"""A factor beyond these is no discount and no margin."""


def common_factor(charges: Sequence[Charge], other_prices: OtherPrices) -> Decimal:
    """Of the price, what at least half of the cost stands at: the shortest decimal that does it, 1 if none does.

    Args:
        charges: of an account or of a model.
        other_prices: what the book has for other times, tiers and context lengths.
    """
    told = _told(_listed(_telling(charges), other_prices), least=2)
    return ONE if told is None else told


def own_factors(charges: Sequence[Charge], of_account: Decimal, other_prices: OtherPrices) -> dict[str, Decimal]:
    """The factor of each model of an account, as `own_factor`."""
    of_models: dict[str, list[Charge]] = {}
    for charge in charges:
        of_models.setdefault(charge.key.model, []).append(charge)
    return {model: own_factor(some, of_account, other_prices) for model, some in of_models.items()}


def own_factor(charges: Sequence[Charge], of_account: Decimal, other_prices: OtherPrices) -> Decimal:
    """The factor of one model: its own where its charges tell one that is not the account's, else the account's.

    It is told by the charges whose price needs no factor to be known: those of one price, and those of which the log
    lacks nothing. Where they stand at no factor of it, or there are none, 1 if most stand at some price of the book.
    """
    plain = _telling([charge for charge in charges if len(charge.prices) < 2 or not charge.lacking])
    listed = _listed(plain, other_prices, of_account)
    if listed and _stands(listed, of_account):
        return of_account
    told = _told(listed)
    if told is not None:
        return told
    return ONE if _are_at_the_book(plain or charges, other_prices) else of_account


def _telling(charges: Sequence[Charge]) -> list[Charge]:
    """The charges that tell a factor: not those that stand at one of several prices that the log has on that day.

    Such a one is billed in one tier throughout; its ratio to the log's average is that of the log's shares.
    """
    return [
        charge
        for charge in charges
        if len(charge.prices) < 2 or not any(is_rounding(charge, price * charge.tokens) for price in charge.prices)
    ]


def by_class(charges: Iterable[Charge]) -> list[list[Charge]]:
    """The charges of each model, class and tier, in order."""
    in_order = sorted(charges, key=lambda charge: (_class(charge), charge.key))
    return [list(group) for _, group in groupby(in_order, key=_class)]


def _class(charge: Charge) -> tuple[str, str, str]:
    return charge.key.model, charge.key.token_class, charge.tier or ""


def _told(listed: Sequence[Beside], least: int = 1) -> Decimal | None:
    """The factor at which at least half of the cost stands; None if there is none.

    One from which the charges differ by rounding in all, too, is preferred to one from which each does alone. Other
    than 1 it takes `least` charges, where there are so many: of one alone some short decimal gives any cost.
    """
    ratios = sorted((charge.cost / cost, abs(cost)) for charge, cost in listed if cost)
    if not ratios:
        return None
    middle = _middle(ratios)
    each: list[Decimal] = []
    for factor in (ONE, *(middle.quantize(ONE.scaleb(-digits)) for digits in FACTOR_DIGITS)):
        if LOWEST_FACTOR <= factor <= HIGHEST_FACTOR and _is_most(at_factor := _at(listed, factor), listed):
            if factor != ONE and len(at_factor) < min(least, len(ratios)):
                continue
            if sums_to_rounding(at_factor):
                return factor
            each.append(factor)
    return each[0] if each else None


def _middle(ratios: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """The ratio that half of the weight is below."""
    enough, passed = sum((weight for _, weight in ratios), ZERO) / 2, ZERO
    for ratio, weight in ratios:
        passed += weight
        if passed >= enough:
            return ratio
    return ratios[-1][0]


def _at(listed: Iterable[Beside], factor: Decimal) -> list[Beside]:
    """The charges that stand at a factor, with the cost at it."""
    beside = [(charge, factor * cost) for charge, cost in listed]
    return [(charge, cost) for charge, cost in beside if is_rounding(charge, cost)]


def _stands(listed: Sequence[Beside], factor: Decimal) -> bool:
    at_factor = _at(listed, factor)
    return _is_most(at_factor, listed) and sums_to_rounding(at_factor)


def _is_most(some: Sequence[Beside], listed: Sequence[Beside]) -> bool:
    """Whether they are at least half, by what they cost at the book."""
    at_book = {(charge.key, charge.tier): abs(cost) for charge, cost in listed}
    return 2 * sum((at_book[one.key, one.tier] for one, _ in some), ZERO) >= sum(at_book.values(), ZERO)


def _listed(charges: Iterable[Charge], other_prices: OtherPrices, of_account: Decimal = ONE) -> list[Beside]:
    """What the charges cost at the book: at an earlier price of it where that gives what is billed.

    Not so where the charge stands at the account's factor, or at that of all others, which no earlier price gives.
    """
    of_classes = by_class(charges)
    stale = {(one.key, one.tier): cost for some in of_classes for one, cost in _stale(some, other_prices)}
    in_order = [one for some in of_classes for one in some]
    at_book = [(one, one.listed) for one in in_order]
    rest = _told([(one, cost) for one, cost in at_book if (one.key, one.tier) not in stale]) if stale else None
    for factor in (of_account, rest or ONE):
        at_factor = _at([(one, cost) for one, cost in at_book if (one.key, one.tier) in stale], factor)
        for one, _ in at_factor if sums_to_rounding(at_factor) else ():
            del stale[one.key, one.tier]
    return [(one, stale.get((one.key, one.tier), cost)) for one, cost in at_book]


def _stale(charges: Sequence[Charge], other_prices: OtherPrices) -> list[Beside]:
    """The charges of a class that an earlier price gives and the one that holds does not, at the earliest of them."""
    found: dict[Key, Beside] = {}
    for other in other_prices(charges[0].key, charges[0].tier or DEFAULT):
        past = [charge for charge in charges if other.is_past(charge) and not is_rounding(charge, charge.listed)]
        at_other = _at([(charge, other.usd_per_token * charge.tokens) for charge in past], ONE)
        # rounded fairly in all, too
        found |= {one.key: (one, cost) for one, cost in at_other} if sums_to_rounding(at_other) else {}
    return list(found.values())


def _are_at_the_book(charges: Sequence[Charge], other_prices: OtherPrices) -> bool:
    """Whether at least half of the cost stands at one price of the book or another."""
    found: list[Beside] = []
    for charge in charges:
        others = [other.usd_per_token for other in other_prices(charge.key, charge.tier or DEFAULT)]
        costs = (price * charge.tokens for price in (charge.price, *others))
        found += _at([(charge, cost) for cost in costs], ONE)[:1]
    return bool(found) and _is_most(found, [(one, one.cost) for one in charges]) and sums_to_rounding(found)
