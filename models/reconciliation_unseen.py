"""Rows that the log lacks in hours that a bill has on another day: of a bill without tokens its cost says how many.

Where a bill counts no tokens and its days are not UTC's, the usage API's tokens stand for its own, moved as the log's
are. Rows that the log lacks cannot move with it: a day then has the cost of more tokens than it should, and the day
beside it of as many less. Over the days between two boundaries at which nothing is lacking the sum is exact.

Here belongs: telling these tokens by days whose costs are off and sum to nothing. Here does not belong: their fits.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from models.reconciliation_cells import Cell, Charge
from models.reconciliation_fits import Fit, Fits, fit_beside
from models.reconciliation_prices import OtherPrices
from models.reconciliation_rounding import is_rounding, sums_to_rounding

_Off = tuple[Cell, Charge, Fit]
"""A day that is off, with the price and factor at which its class or model stands on others."""


def move_unseen(cells: Sequence[Cell], fits: Fits, factor: Decimal, other_prices: OtherPrices) -> Fits:
    """The fits of days from which unseen rows are moved; their cells and charges have the tokens of the bill then.

    Whole tokens must give each day's cost but for rounding, must sum to nothing over consecutive days, and leave no
    day with less than the log has of it. A model of which no line stands anywhere tells no factor: it is left.

    Args:
        cells: of an account in a period, with prices.
        fits: of their charges.
        factor: of the account.
        other_prices: what the book has for other times, tiers and context lengths.
    """
    charges = [charge for cell in cells for charge in cell.charges if charge.tokens]
    models = {one.key.model for one in charges if (fit := fits[one.key, one.tier]) and not fit.is_near}
    in_order = sorted(cells, key=lambda cell: (cell.key.model, cell.key.token_class, cell.key.day))
    off = [
        (cell, charge, fit_beside(charge, charges, fits, factor, other_prices))
        for cell in in_order
        if cell.key.model in models and (charge := _charge_off(cell, fits))
    ]
    found: Fits = {}
    for days in _consecutive(off):
        for cell, charge, fit, tokens in _moves(days):
            cell.unseen = tokens
            charge.tokens += tokens
            found[charge.key, charge.tier] = fit
    return found


def _charge_off(cell: Cell, fits: Fits) -> Charge | None:
    """The one charge of a cell whose tokens are the usage API's, moved, if its cost stands nowhere."""
    if not cell.is_moved_by_log or len(cell.charges) != 1:
        return None
    (charge,) = cell.charges
    if charge.tokens <= 0 or len(charge.prices) > 1:
        return None
    fit = fits[charge.key, charge.tier]
    return charge if fit is None or fit.is_near else None


def _consecutive(off: Sequence[_Off]) -> Iterator[list[_Off]]:
    """Consecutive days of a class at one price and factor."""
    days: list[_Off] = list(off[:1])
    for (_, before, fit_before), one in pairwise(off):
        _, charge, fit = one
        is_next = charge.key == before.key._replace(day=before.key.day + timedelta(days=1))
        if not is_next or (fit.price(charge), fit.factor) != (fit_before.price(before), fit_before.factor):
            yield days
            days = []
        days.append(one)
    yield days


def _moves(days: Sequence[_Off]) -> Iterator[tuple[Cell, Charge, Fit, Decimal]]:
    """The tokens of those days that sum to nothing: the fewest days from the first on, then from the next."""
    start = 0
    while start < len(days) - 1:
        ends = range(start + 2, len(days) + 1)
        spans = ((end, tokens) for end in ends if (tokens := _tokens(days[start:end])))
        end, tokens = next(spans, (start + 1, []))
        for (cell, charge, fit), count in zip(days[start:end], tokens, strict=False):
            yield cell, charge, fit, count
        start = end


def _tokens(days: Sequence[_Off]) -> list[Decimal]:
    """What each of these days has more than was thought, in whole tokens that sum to nothing; none if it cannot be."""
    per_token = {fit.factor * fit.price(charge) for _, charge, fit in days}
    if 0 in per_token or not sums_to_rounding([(charge, fit.cost(charge)) for _, charge, fit in days]):
        return []
    found = [(one.cost / (fit.factor * fit.price(one)) - one.tokens).to_integral_value() for _, one, fit in days]
    most = max(range(len(found)), key=lambda place: abs(found[place]))
    found[most] -= sum(found)
    return found if all(_is_possible(one, fit, count) for (_, one, fit), count in zip(days, found, strict=True)) else []


def _is_possible(charge: Charge, fit: Fit, more: Decimal) -> bool:
    tokens = charge.tokens + more
    is_at_cost = is_rounding(charge, fit.factor * fit.price(charge) * tokens)
    return is_at_cost and tokens >= charge.moved
