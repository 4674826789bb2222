"""The log's side of a cell, and what it costs at the price book.

Here belongs: what of the log is a cell's, on UTC's day and on the bill's. Here does not belong: which account the log
speaks of; causes.
"""

from datetime import timedelta

from models.price_index import PriceIndex
from models.reconciliation_cells import Cell, price_rounded
from models.reconciliation_log import Log
from models.reconciliation_sides import ZERO, Model
from models.reconciliation_tiers import charges_by_tier, price_of
from models.reconciliation_volume import Account


def fill(cell: Cell, log: Log, prices: PriceIndex, account: Account) -> None:
    """Adds the log's side of a cell, its estimate and its price, and both by tier where the bill tells tiers."""
    _fill_whole(cell, log, prices, account)
    if cell.key.day.replace(day=1) == account.period and not cell.unpriced:
        cell.charges = charges_by_tier(cell, log, account.days, prices.price)
    if cell.charges:
        cell.prices = cell.prices.union(*(charge.prices for charge in cell.charges))
        cell.price = price_of(cell)


def _fill_whole(cell: Cell, log: Log, prices: PriceIndex, account: Account) -> None:
    key = cell.key
    model = Model(key.provider, key.model)
    cell.has_log, cell.days_agree = account.has_log, not account.days.are_moved
    cell.offset = timedelta(minutes=account.days.minutes_on(key.day))
    cell.next_offset = timedelta(minutes=account.days.minutes_on(key.day + timedelta(days=1)))
    cell.price = prices.price(key)
    if not account.has_log or key.day.replace(day=1) != account.period:
        return
    here = log.on(model, key.token_class, key.day)
    there = log.between(model, key.token_class, account.days.begin(key.day), account.days.end(key.day))
    cell.logged, cell.duplicates, cell.duplicate_cost = here.tokens, here.duplicates, here.duplicate_cost
    cell.moved, cell.estimated = there.unique, here.cost if not here.tokens or here.tokens > here.unpriced else None
    cell.unpriced, cell.without_price = here.unpriced, there.unique_unpriced
    cell.dearest = prices.dearest(key) if cell.without_price else None
    if cell.estimated is None and (cell.billed_tokens or ZERO) <= cell.without_price:
        cell.price = None
        return
    cell.prices = frozenset(here.prices | there.prices)
    if len(cell.prices) == 1:
        cell.price = next(iter(cell.prices))
    elif cell.prices:
        average = next((one for one in (there.average, here.average) if one is not None), None)
        cell.price = cell.price if average is None else price_rounded(average)
    cell.moved_cost = there.unique_cost
