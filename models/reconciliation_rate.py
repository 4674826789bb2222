"""Why the same tokens cost something else on the bill: the difference of prices split into causes that have evidence.

The order is fixed: other tiers on the bill than in the log, then, for what is billed in one tier, another price of the
price book, a discount or margin at which the account's bill stands throughout, and what rounding can be; what this does
not explain to its last digit is unexplained, whole.

Here belongs: prices of equal tokens. Here does not belong: tokens that one side lacks.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from models.reconciliation_amounts import Amount, by_cause, rest
from models.reconciliation_cells import Cell
from models.reconciliation_factors import common_factor, own_factors
from models.reconciliation_fits import Fits, fit_all, fit_beside, price_at, price_between
from models.reconciliation_prices import OtherPrices
from models.reconciliation_rounding import Units, of_lines
from models.reconciliation_sides import ZERO, Key, usd
from models.reconciliation_tiers import price_of
from models.reconciliation_unseen import move_unseen

MOST_TIMES = 10
"""What a token without a price can cost: so many times the provider's dearest of its class on the day. A tier or
context that the book does not know may be dearer than all that it knows, but hardly by a digit; without a bound one
such token would hide any error of the bill."""

NOT_FOR_TOKENS_EVIDENCE = {
    "provisioned": "paid by the hour: no price of tokens",
    "other_service": "the line names no model and counts no tokens",
}


def split_rates(cells: Sequence[Cell], other_prices: OtherPrices) -> dict[Key, list[Amount]]:
    """The causes of the difference of prices for all cells of an account in a period.

    A cell's amounts sum to its difference less the price times the difference of tokens. Cells without a price, or
    whose bill does not count tokens, have their whole difference here.
    """
    known = [one for one in cells if one.price is not None and one.billed_tokens and not one.unconverted]
    priced = [cell for cell in known if not cell.without_price]
    for cell in known:
        cell.charges = cell.charges or [cell.as_charge]
    charges = [charge for cell in priced for charge in cell.charges if charge.tokens]
    units = Units(charge.unit for cell in known for charge in cell.charges)
    for cell in known:
        if cell.billed is not None:
            cell.billed.unit = units.of(cell.billed.unit)  # of the charge that it is as a whole, which some ask for
        for charge in cell.charges:
            charge.unit = units.of(charge.unit)
    factor = common_factor(charges, other_prices)
    own = own_factors(charges, factor, other_prices)
    for charge in charges:
        if len(charge.prices) > 1 and charge.tokens > 0:
            charge.price = price_between(charge, own[charge.key.model], other_prices)
    for cell in priced:
        cell.price = price_of(cell)
    fits = fit_all(charges, own, factor, other_prices)
    fits |= move_unseen(priced, fits, factor, other_prices)
    for cell in known:
        if cell.without_price:
            fit = fits[cell.key, None] = fit_beside(cell.as_charge, charges, fits, factor, other_prices)
            cell.price = price_at(cell.as_charge, fit)
            cell.charges = [cell.as_charge]
    return {cell.key: by_cause(_amounts(cell, fits)) for cell in cells}


def rate_difference(cell: Cell) -> Decimal:
    """What is left of the difference when the tokens are equal: all of it where price or tokens are unknown."""
    return cell.difference - volume_difference(cell)


def volume_difference(cell: Cell) -> Decimal:
    """The price times billed tokens, less the estimate: at one price, that times billed less logged tokens.

    Billed tokens for which the log has no price are no part of either. Where price or tokens are unknown it is
    nothing, or all of it if there is no log to compare with.
    """
    if cell.unconverted:
        return ZERO
    if not cell.is_comparable:
        return cell.difference - sum(cell.not_for_tokens.values(), ZERO)
    if cell.price is None or cell.priced_tokens is None:
        return ZERO
    return usd(cell.price * cell.priced_tokens) - (cell.estimated or ZERO)


def _amounts(cell: Cell, fits: Fits) -> Iterator[Amount]:
    rate = rate_difference(cell) - sum(cell.not_for_tokens.values(), ZERO)
    for cause, amount in cell.not_for_tokens.items():
        yield Amount(cause, None, amount, NOT_FOR_TOKENS_EVIDENCE.get(cause, "the bill's charge category"))
    if cell.unconverted:
        currencies = " and ".join(sorted(cell.unconverted))
        yield Amount("no_rate", None, rate, f"billed in {currencies}; no rate to USD is stated")
        return
    if not cell.is_comparable:
        return
    if cell.price is None:
        yield Amount("unpriced", None, rate, "the price book has no price")
        return
    if cell.billed_tokens is None:
        yield Amount("unexplained", None, rate, "the bill does not count tokens")
        return
    if not cell.charges:
        yield Amount("unexplained", None, rate, "no price of the book gives the cost")
        return
    found = list(_of_charges(cell, fits))
    yield from found
    yield from _left(cell, rate - sum((amount.usd for amount in found), ZERO))


def _left(cell: Cell, left: Decimal) -> Iterator[Amount]:
    """What the lines can be rounded by; more is of the tokens without a price, as much as they can plausibly cost."""
    limit, rounded = of_lines(cell.charges), "what the lines of the bill can be rounded by"
    if not cell.without_price:
        yield rest(left, limit, rounded, "more than the lines of the bill can be rounded by")
        return
    if left <= limit:
        yield rest(left, limit, rounded, "less is billed than its tokens with a price cost")
        return
    bound = None if cell.dearest is None else usd(MOST_TIMES * cell.dearest * cell.billed_unpriced)
    unpriced = left if bound is None else min(left, bound)
    yield Amount(
        "unpriced", None, unpriced, f"the price book has no price for {cell.without_price:,} of the log's tokens"
    )
    beyond = f"more than {MOST_TIMES} times what tokens without a price cost at the provider's dearest of the class"
    yield rest(left - unpriced, limit, rounded, beyond)


def _of_charges(cell: Cell, fits: Fits) -> Iterator[Amount]:
    listed = sum((charge.listed for charge in cell.charges), ZERO)
    at_log_s_tiers = usd((cell.price or ZERO) * (cell.priced_tokens or ZERO))
    if len(cell.charges) > 1:
        yield Amount("tier", None, usd(listed) - at_log_s_tiers, "the bill has the tokens in other tiers than the log")
    for charge in cell.charges:
        if not charge.tokens:
            continue
        fit = fits[charge.key, charge.tier]
        if fit is None:
            yield Amount("unexplained", None, charge.cost - usd(charge.listed), "no price of the book gives the cost")
            continue
        other = usd((fit.price(charge) - charge.price) * charge.tokens)
        factored = usd((fit.factor - 1) * fit.price(charge) * charge.tokens)
        if fit.other:
            yield Amount(fit.other.cause(charge), None, other, fit.other.evidence(charge))
        of_price = f"{fit.factor.normalize():f} of the price"
        yield Amount("discount" if fit.factor < 1 else "margin", None, factored, of_price)
        if fit.is_near:
            beside = charge.cost - usd(charge.listed) - other - factored
            yield Amount("unexplained", None, beside, f"beside {of_price}, as others of the model or account are")
