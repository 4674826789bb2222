"""Why the same tokens cost something else on the bill: the difference of prices split into causes that have evidence.

The order is fixed: another price of the price book, then a discount or margin at which the account's bill stands
throughout, then what rounding can be; a line that this does not explain to its last digit is unexplained, whole.

Here belongs: prices of equal tokens. Here does not belong: tokens that one side lacks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import groupby
from typing import NamedTuple

from models.reconciliation_cells import Cell
from models.reconciliation_sides import ZERO, Key

PICO = Decimal("0.000000000001")
ONE, HALF = Decimal(1), Decimal("0.5")
MOST_DIGITS = 9
"""Decimal places beyond which a bill's figures are binary noise."""

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

    def price(self, cell: Cell) -> Decimal:
        """The price of one token of the cell."""
        return (cell.price or ZERO) if self.other is None else self.other.usd_per_token


OtherPrices = Callable[[Key], Iterable[OtherPrice]]


def split_rates(cells: Sequence[Cell], other_prices: OtherPrices) -> dict[Key, list[Amount]]:
    """The causes of the difference of prices for all cells of an account in a period.

    A cell's amounts sum to its difference less the price times the difference of tokens. Cells without a price, or
    whose bill does not count tokens, have their whole difference here.
    """
    known = [cell for cell in cells if cell.estimated is not None and not cell.unconverted]
    priced = [cell for cell in known if cell.price and cell.billed_tokens]
    half_a_unit = _half_a_unit(priced)
    factor = _common_factor(priced, half_a_unit)
    for cell in priced:
        if len(cell.prices) > 1:
            cell.price = _price_between(cell, factor, half_a_unit)
    fits: dict[Key, _Fit | None] = {}
    for of_class in _grouped(priced, lambda key: (key.model, key.token_class)):
        fits |= _fit_all(of_class, [factor, ONE], other_prices, half_a_unit)
    for of_model in _grouped([cell for cell in priced if fits[cell.key] is None], lambda key: (key.model,)):
        own = _common_factor(of_model, half_a_unit) if len(of_model) > 1 else ONE
        fits |= {cell.key: _fit([cell], [own], other_prices, half_a_unit) for cell in of_model}
    return {cell.key: [amount for amount in _amounts(cell, fits.get(cell.key)) if amount.usd] for cell in cells}


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


def usd(amount: Decimal) -> Decimal:
    """An amount at the ledger's scale."""
    return amount.quantize(PICO, ROUND_HALF_EVEN)


def _amounts(cell: Cell, fit: _Fit | None) -> Iterator[Amount]:
    rate = rate_difference(cell) - sum(cell.not_for_tokens.values(), ZERO)
    for cause, amount in cell.not_for_tokens.items():
        yield Amount(cause, amount, "the bill's charge category")
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
    if fit is None:
        yield Amount("unexplained" if cell.billed else "rounding", rate, "no price of the book gives the cost")
        return
    other = usd((fit.price(cell) - cell.price) * cell.billed_tokens)
    factored = usd((fit.factor - 1) * fit.price(cell) * cell.billed_tokens)
    if fit.other:
        yield Amount(fit.other.cause, other, fit.other.evidence)
    yield Amount("discount" if fit.factor < 1 else "margin", factored, f"{fit.factor.normalize():f} of the price")
    yield Amount("rounding", rate - other - factored, "within half a unit of the last digit of each line")


def _price_between(cell: Cell, factor: Decimal, half_a_unit: Decimal) -> Decimal:
    """The average price of a day on which a price changes: where the log lacks rows, the bill says at which.

    It is the average nearest to the log's at which the bill's cost stands, if what the log lacks then stands between
    the day's prices; else the log's.
    """
    log_s, tokens = cell.price or ZERO, cell.billed_tokens or ZERO
    # half of what the bill's rounding leaves open, so that no digit of the price leads out of it
    margin = HALF * half_a_unit * (cell.billed.lines if cell.billed else 1) / factor
    at_factor = _cost(cell) / factor
    nearest = min(max(log_s, (at_factor - margin) / tokens), (at_factor + margin) / tokens)
    cell.price = nearest.quantize(ONE.scaleb(-18))
    slack = margin / abs(tokens - cell.moved) if tokens != cell.moved else ZERO
    is_between = min(cell.prices) - slack <= cell.lacking_price <= max(cell.prices) + slack
    return cell.price if is_between else log_s


def _half_a_unit(cells: Sequence[Cell]) -> Decimal:
    """Half a unit of the last digit that the bill of these cells writes."""
    costs = (cell.billed.cost.normalize() for cell in cells if cell.billed)
    digits = max((-int(cost.as_tuple().exponent) for cost in costs), default=0)
    return HALF.scaleb(-max(0, min(MOST_DIGITS, digits)))


def _common_factor(cells: Sequence[Cell], half_a_unit: Decimal) -> Decimal:
    """Of the price, what at least half of the cost stands at: the shortest decimal that does it, 1 if none does."""
    ratios = sorted((_cost(cell) / _listed(cell), _listed(cell)) for cell in cells)
    half = sum((weight for _, weight in ratios), ZERO) / 2
    if not ratios:
        return ONE
    passed, middle = ZERO, ONE
    for ratio, weight in ratios:
        passed, middle = passed + weight, ratio
        if passed >= half:
            break
    for factor in (ONE, *(middle.quantize(ONE.scaleb(-digits)) for digits in FACTOR_DIGITS)):
        at_factor = (cell for cell in cells if _is_near(cell, factor * _listed(cell), half_a_unit))
        if LOWEST_FACTOR <= factor <= HIGHEST_FACTOR and sum(map(_listed, at_factor), ZERO) >= half:
            return factor
    return ONE


def _grouped(cells: Iterable[Cell], name: Callable[[Key], tuple[str, ...]]) -> list[list[Cell]]:
    in_order = sorted(cells, key=lambda cell: (name(cell.key), cell.key))
    return [list(group) for _, group in groupby(in_order, key=lambda cell: name(cell.key))]


def _fit_all(
    cells: Sequence[Cell], factors: Sequence[Decimal], other_prices: OtherPrices, half_a_unit: Decimal
) -> dict[Key, _Fit | None]:
    """One price and factor for all days of a class if there is one, as small lines fit several; else each its own."""
    together = _fit(cells, factors, other_prices, half_a_unit)
    return {cell.key: together or _fit([cell], factors, other_prices, half_a_unit) for cell in cells}


def _fit(
    cells: Sequence[Cell], factors: Iterable[Decimal], other_prices: OtherPrices, half_a_unit: Decimal
) -> _Fit | None:
    """The first price and factor that give the cost of all cells: the price that holds before any other one."""
    for factor in dict.fromkeys(factors):
        for other in (None, *other_prices(cells[0].key)):
            fit = _Fit(other, factor)
            expected = ((cell, factor * fit.price(cell) * (cell.billed_tokens or ZERO)) for cell in cells)
            if all(_is_near(cell, cost, half_a_unit) for cell, cost in expected):
                return fit
    return None


def _cost(cell: Cell) -> Decimal:
    return cell.billed.cost if cell.billed else ZERO


def _listed(cell: Cell) -> Decimal:
    return (cell.price or ZERO) * (cell.billed_tokens or ZERO)


def _is_near(cell: Cell, expected: Decimal, half_a_unit: Decimal) -> bool:
    lines = cell.billed.lines if cell.billed else 1
    return abs(_cost(cell) - expected) <= lines * half_a_unit
