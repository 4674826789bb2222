"""A difference of tokens in money: what its parts are worth, which sum to the volume to the last digit.

Here belongs: what a part costs. Here does not belong: the parts (`reconciliation_volume`).
"""

from collections.abc import Sequence
from decimal import Decimal

from models.reconciliation_amounts import Amount, by_cause, rest
from models.reconciliation_cells import Cell
from models.reconciliation_rate import volume_difference
from models.reconciliation_rounding import of_products
from models.reconciliation_sides import ZERO, usd
from models.reconciliation_volume import Part


def worth_of(cell: Cell, parts: Sequence[Part]) -> list[Amount]:
    """The parts in money. Without a price they have none: the whole difference is one of rate then.

    What the log itself shows to be logged again is told in tokens there, too. What the products leave is rounding as
    far as their digits can leave something; more than that is unexplained.
    """
    if cell.unconverted:
        return []
    if not cell.is_comparable:
        evidence = "the log knows nothing of this account"
        return by_cause([Amount("bypass", cell.billed_tokens, volume_difference(cell), evidence)])
    if cell.price is None:
        return [Amount(one.cause, one.tokens, ZERO, one.evidence) for one in parts if one.cause == "duplicate"]
    found = [Amount(part.cause, part.tokens, _cost(cell, part), part.evidence) for part in parts]
    left = volume_difference(cell) - sum((amount.usd for amount in found), ZERO)
    limit = of_products(cell.billed_tokens or ZERO, len(parts) + 2)
    return by_cause([*found, rest(left, limit, "beyond the twelfth decimal", "more than rounding, of no part")])


def _cost(cell: Cell, part: Part) -> Decimal:
    """A part in money: what the log itself has, at the prices of its own hours."""
    if part.cause == "duplicate":
        return usd(-cell.duplicate_cost)
    if part.cause == "day_boundary":
        return usd(cell.moved_cost - ((cell.estimated or ZERO) - cell.duplicate_cost))
    return usd(cell.lacking_price * part.tokens)
