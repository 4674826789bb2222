"""Why the same tokens cost something else on the bill: the difference of prices split into causes that have evidence.

The order is fixed: other tiers on the bill than in the log, then, for what is billed in one tier, another price of the
price book, a discount or margin at which the account's bill stands throughout, and what rounding can be; what this does
not explain to its last digit is unexplained, whole.

Here belongs: prices of equal tokens. Here does not belong: tokens that one side lacks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from models.reconciliation_cells import Cell, Charge, price_rounded
from models.reconciliation_sides import DEFAULT, ZERO, Key, usd
from models.reconciliation_tiers import price_of

ONE, HALF = Decimal(1), Decimal("0.5")
MOST_DIGITS = 9
"""Decimal places beyond which a bill's figures are binary noise."""

LAST_DIGIT = Decimal("0.000000000001")
"""What a share of a line, written with twelve decimals, may differ by beside its share of the line's rounding."""

FACTOR_DIGITS = range(1, 7)
LOWEST_FACTOR, HIGHEST_FACTOR = Decimal("0.5"), Decimal("1.5")
"""A factor beyond these is no discount and no margin."""


class OtherPrice(NamedTuple):
    """A price that the book has for the same model and class, at another time, tier or context length."""

    usd_per_token: Decimal
    cause: str
    evidence: str


class Amount(NamedTuple):
    """A share of a cell's difference of money."""

    cause: str
    usd: Decimal
    evidence: str


class _Fit(NamedTuple):
    """A price and a factor that give the billed cost; `other` is None where the price is the one that holds."""

    other: OtherPrice | None
    factor: Decimal

    def price(self, charge: Charge) -> Decimal:
        """The price of one token of the charge."""
        return charge.price if self.other is None else self.other.usd_per_token


NOT_FOR_TOKENS_EVIDENCE = {
    "provisioned": "paid by the hour: no price of tokens",
    "other_service": "the line names no model and counts no tokens",
}
OtherPrices = Callable[[Key, str], Iterable[OtherPrice]]
_Fits = dict[tuple[Key, str | None], _Fit | None]


def split_rates(cells: Sequence[Cell], other_prices: OtherPrices) -> dict[Key, list[Amount]]:
    """The causes of the difference of prices for all cells of an account in a period.

    A cell's amounts sum to its difference less the price times the difference of tokens. Cells without a price, or
    whose bill does not count tokens, have their whole difference here.
    """
    known = [cell for cell in cells if cell.estimated is not None and not cell.unconverted]
    priced = [cell for cell in known if cell.price and cell.billed_tokens]
    for cell in priced:
        cell.charges = cell.charges or [cell.as_charge]
    charges = [charge for cell in priced for charge in cell.charges if charge.tokens]
    half_a_unit = _half_a_unit(charges)
    factor = _common_factor(charges, half_a_unit)
    for charge in charges:
        if len(charge.prices) > 1:
            charge.price = _price_between(charge, factor, half_a_unit)
    for cell in priced:
        cell.price = price_of(cell)
    fits: _Fits = {}
    for of_class in _grouped(charges, lambda charge: (charge.key.model, charge.key.token_class, charge.tier or "")):
        fits |= _fit_all(of_class, [factor, ONE], other_prices, half_a_unit)
    for of_model in _grouped([one for one in charges if fits[one.key, one.tier] is None], lambda one: (one.key.model,)):
        own = _common_factor(of_model, half_a_unit) if len(of_model) > 1 else ONE
        fits |= {(one.key, one.tier): _fit([one], [own], other_prices, half_a_unit) for one in of_model}
    return {cell.key: [amount for amount in _amounts(cell, fits) if amount.usd] for cell in cells}


def rate_difference(cell: Cell) -> Decimal:
    """What is left of the difference when the tokens are equal: all of it where price or tokens are unknown."""
    return cell.difference - volume_difference(cell)


def volume_difference(cell: Cell) -> Decimal:
    """The price times billed tokens, less the estimate: at one price, that times billed less logged tokens.

    Where price or tokens are unknown it is nothing, or all of it if there is no log to compare with.
    """
    if cell.unconverted:
        return ZERO
    if not cell.is_comparable:
        return cell.difference - sum(cell.not_for_tokens.values(), ZERO)
    if cell.price is None or cell.estimated is None or cell.billed_tokens is None:
        return ZERO
    return usd(cell.price * cell.billed_tokens) - cell.estimated


def _amounts(cell: Cell, fits: _Fits) -> Iterator[Amount]:
    rate = rate_difference(cell) - sum(cell.not_for_tokens.values(), ZERO)
    for cause, amount in cell.not_for_tokens.items():
        yield Amount(cause, amount, NOT_FOR_TOKENS_EVIDENCE.get(cause, "the bill's charge category"))
    if cell.unconverted:
        yield Amount("no_rate", rate, f"billed in {' and '.join(sorted(cell.unconverted))}; no rate to USD is stated")
        return
    if not cell.is_comparable:
        return
    if cell.price is None or cell.estimated is None:
        yield Amount("unpriced", rate, "the price book has no price")
        return
    if cell.billed_tokens is None:
        yield Amount("unexplained", rate, "the bill does not count tokens")
        return
    if not cell.charges:
        yield Amount("unexplained" if cell.billed else "rounding", rate, "no price of the book gives the cost")
        return
    found = list(_of_charges(cell, fits))
    yield from _by_cause(found)
    left = rate - sum((amount.usd for amount in found), ZERO)
    yield Amount("rounding", left, "within half a unit of the last digit of each line")


def _of_charges(cell: Cell, fits: _Fits) -> Iterator[Amount]:
    listed = sum((charge.listed for charge in cell.charges), ZERO)
    at_log_s_tiers = usd((cell.price or ZERO) * (cell.billed_tokens or ZERO))
    if len(cell.charges) > 1:
        yield Amount("tier", usd(listed) - at_log_s_tiers, "the bill has the tokens in other tiers than the log")
    for charge in cell.charges:
        if not charge.tokens:
            continue
        fit = fits[charge.key, charge.tier]
        if fit is None:
            yield Amount("unexplained", charge.cost - usd(charge.listed), "no price of the book gives the cost")
            continue
        other = usd((fit.price(charge) - charge.price) * charge.tokens)
        factored = usd((fit.factor - 1) * fit.price(charge) * charge.tokens)
        if fit.other:
            yield Amount(fit.other.cause, other, fit.other.evidence)
        yield Amount("discount" if fit.factor < 1 else "margin", factored, f"{fit.factor.normalize():f} of the price")


def _by_cause(amounts: Iterable[Amount]) -> Iterator[Amount]:
    """One amount for each cause, with all its evidence."""
    found: dict[str, list[Amount]] = {}
    for amount in amounts:
        if amount.usd:
            found.setdefault(amount.cause, []).append(amount)
    for cause, of_cause in found.items():
        evidence = dict.fromkeys(amount.evidence for amount in of_cause)
        yield Amount(cause, sum((amount.usd for amount in of_cause), ZERO), "; ".join(evidence))


def _price_between(charge: Charge, factor: Decimal, half_a_unit: Decimal) -> Decimal:
    """The average price of a day on which a price changes: where the log lacks rows, the bill says at which.

    It is the average nearest to the log's at which the bill's cost stands, if what the log lacks then stands between
    the day's prices; else the log's.
    """
    log_s, tokens = charge.price, charge.tokens
    # half of what the bill's rounding leaves open, so that no digit of the price leads out of it
    margin = HALF * half_a_unit * charge.lines / factor
    at_factor = charge.cost / factor
    nearest = min(max(log_s, (at_factor - margin) / tokens), (at_factor + margin) / tokens)
    charge.price = price_rounded(nearest)
    slack = margin / abs(charge.lacking) if charge.lacking else ZERO
    is_between = min(charge.prices) - slack <= charge.lacking_price <= max(charge.prices) + slack
    return charge.price if is_between else log_s


def _half_a_unit(charges: Sequence[Charge]) -> Decimal:
    """Half a unit of the last digit that the bill of these charges writes."""
    digits = max((charge.digits for charge in charges), default=0)
    return HALF.scaleb(-min(MOST_DIGITS, digits))


def _common_factor(charges: Sequence[Charge], half_a_unit: Decimal) -> Decimal:
    """Of the price, what at least half of the cost stands at: the shortest decimal that does it, 1 if none does."""
    ratios = sorted((charge.cost / charge.listed, charge.listed) for charge in charges if charge.listed)
    half = sum((weight for _, weight in ratios), ZERO) / 2
    if not ratios:
        return ONE
    passed, middle = ZERO, ONE
    for ratio, weight in ratios:
        passed, middle = passed + weight, ratio
        if passed >= half:
            break
    for factor in (ONE, *(middle.quantize(ONE.scaleb(-digits)) for digits in FACTOR_DIGITS)):
        at_factor = (charge.listed for charge in charges if _is_near(charge, factor * charge.listed, half_a_unit))
        if LOWEST_FACTOR <= factor <= HIGHEST_FACTOR and sum(at_factor, ZERO) >= half:
            return factor
    return ONE


def _grouped(charges: Iterable[Charge], name: Callable[[Charge], tuple[str, ...]]) -> list[list[Charge]]:
    in_order = sorted(charges, key=lambda charge: (name(charge), charge.key, charge.tier or ""))
    return [list(group) for _, group in groupby(in_order, key=name)]


def _fit_all(
    charges: Sequence[Charge], factors: Sequence[Decimal], other_prices: OtherPrices, half_a_unit: Decimal
) -> _Fits:
    """One price and factor for all days of a class if there is one, as small lines fit several; else each its own."""
    together = _fit(charges, factors, other_prices, half_a_unit)
    return {
        (charge.key, charge.tier): together or _fit([charge], factors, other_prices, half_a_unit) for charge in charges
    }


def _fit(
    charges: Sequence[Charge], factors: Iterable[Decimal], other_prices: OtherPrices, half_a_unit: Decimal
) -> _Fit | None:
    """The first price and factor that give the cost of all charges: the price that holds before any other one."""
    first = charges[0]
    for factor in dict.fromkeys(factors):
        for other in (None, *other_prices(first.key, first.tier or DEFAULT)):
            fit = _Fit(other, factor)
            expected = ((charge, factor * fit.price(charge) * charge.tokens) for charge in charges)
            if all(_is_near(charge, cost, half_a_unit) for charge, cost in expected):
                return fit
    return None


def _is_near(charge: Charge, expected: Decimal, half_a_unit: Decimal) -> bool:
    return abs(charge.cost - expected) <= charge.lines * half_a_unit + LAST_DIGIT
