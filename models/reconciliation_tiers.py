"""Bill and log of a cell by service tier, where the bill tells tiers.

Tokens that both sides have in different tiers are a difference of price; tokens that one side lacks are a difference of
volume, at the price of the tier that lacks them. Where several do, each lacks in proportion.

Here belongs: tiers of one cell. Here does not belong: whether a tier is billed at its price.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from models.day_offset import Midnights
from models.reconciliation_cells import Cell, Charge, price_rounded
from models.reconciliation_log import Log
from models.reconciliation_sides import ZERO, Key, Model, OfTier

PriceOf = Callable[[Key, str], Decimal | None]


def charges_by_tier(cell: Cell, log: Log, days: Midnights, price_in: PriceOf) -> list[Charge]:
    """A cell's tiers, of the bill and of the log; `price_in` is what the book says of a tier.

    None where the bill does not tell tiers, nothing is billed, or tokens or price of one of them are unknown: then the
    cell is compared as one.
    """
    billed = cell.billed.tiers if cell.billed else {}
    if not billed or not cell.billed_tokens:
        return []
    model = Model(cell.key.provider, cell.key.model)
    tiers = {*billed, *(log.tiers(model, cell.key.token_class) if cell.has_log else ())}
    found = [_charge(cell, tier, billed.get(tier), log, days, price_in) for tier in sorted(tiers)]
    known = [charge for charge in found if charge is not None]
    return [charge for charge in known if charge.tokens or charge.moved] if len(known) == len(found) else []


def price_of(cell: Cell) -> Decimal:
    """What a billed token of the cell costs in the log's tiers: what is in others on the bill is no volume."""
    if len(cell.charges) == 1:
        return cell.charges[0].price
    moved_cost = sum((charge.moved_cost for charge in cell.charges), ZERO)
    tokens = sum((charge.tokens for charge in cell.charges), ZERO)
    return price_rounded((moved_cost + _volume(cell.charges)) / tokens)


def _volume(charges: Iterable[Charge]) -> Decimal:
    """What the tokens cost that one side lacks in all tiers together."""
    of_tiers = list(charges)
    lacking = sum((charge.lacking for charge in of_tiers), ZERO)
    same = [charge for charge in of_tiers if charge.lacking * lacking > 0]
    total = sum((charge.lacking for charge in same), ZERO)
    return sum((charge.lacking * charge.lacking_price for charge in same), ZERO) * lacking / total if same else ZERO


def _charge(
    cell: Cell, tier: str, billed: OfTier | None, log: Log, days: Midnights, price_in: PriceOf
) -> Charge | None:
    """One tier. None where its tokens or its price are unknown."""
    key, of_tier = cell.key, billed or OfTier(ZERO, ZERO, ZERO, None)
    start, end = days.begin(key.day), days.end(key.day)
    there = log.between(Model(key.provider, key.model), key.token_class, start, end, tier if cell.has_log else "")
    cost = there.unique_cost
    price = price_in(key, tier) if there.average is None else there.average
    if there.unpriced or price is None or of_tier.tokens is None or (of_tier.cost and not of_tier.tokens):
        is_absent = not of_tier.lines and not there.tokens
        return Charge(key, tier, ZERO, ZERO, ZERO, None, 0, ZERO, frozenset(), ZERO, start, end) if is_absent else None
    held = frozenset(there.prices or {price})
    price = next(iter(held)) if len(held) == 1 else price_rounded(price)
    of_bill = of_tier.tokens, of_tier.cost, of_tier.lines, of_tier.unit
    return Charge(key, tier, *of_bill, there.unique, cost, held, price, start, end)
