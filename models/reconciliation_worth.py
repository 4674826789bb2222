"""A difference of tokens in money: what its parts are worth, which sum to the volume to the last digit.

Here belongs: what a part costs. Here does not belong: the parts (`reconciliation_volume`).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from models.reconciliation_cells import Cell
from models.reconciliation_rate import volume_difference
from models.reconciliation_rounding import of_products
from models.reconciliation_sides import ZERO, usd
from models.reconciliation_volume import Part


class Worth(NamedTuple):
    """A share of a cell's volume. `tokens` are billed less logged ones; `rounding_limit` is that of rounding alone."""

    cause: str
    tokens: Decimal | None
    usd: Decimal
    evidence: str
    rounding_limit: Decimal | None = None


def worth_of(cell: Cell, parts: Sequence[Part]) -> list[Worth]:
    """The parts in money. Without a price they have none: the whole difference is one of rate then.

    What the products leave is rounding as far as their digits can leave something; more than that is unexplained.
    """
    if cell.unconverted:
        return []
    if not cell.is_comparable:
        cost = volume_difference(cell)
        is_any = cost or cell.billed_tokens
        return [Worth("bypass", cell.billed_tokens, cost, "the log knows nothing of this account")] if is_any else []
    if cell.price is None:
        return []
    found = [Worth(part.cause, part.tokens, _cost(cell, part), part.evidence) for part in parts]
    found = [worth for worth in found if worth.tokens or worth.usd]
    left = volume_difference(cell) - sum((worth.usd for worth in found), ZERO)
    return _with_rest(found, left, of_products(cell.billed_tokens or ZERO, len(parts) + 2)) if left else found


def _cost(cell: Cell, part: Part) -> Decimal:
    """A part in money: what the log itself has, at the prices of its own hours."""
    if part.cause == "duplicate":
        return usd(-cell.duplicate_cost)
    if part.cause == "day_boundary":
        return usd(cell.moved_cost - ((cell.estimated or ZERO) - cell.duplicate_cost))
    return usd(cell.lacking_price * part.tokens)


def _with_rest(found: Sequence[Worth], left: Decimal, limit: Decimal) -> list[Worth]:
    if abs(left) <= limit:
        return [*found, Worth("rounding", None, left, "beyond the twelfth decimal", limit)]
    others = [worth for worth in found if worth.cause != "unexplained"]
    known = [worth for worth in found if worth.cause == "unexplained"]
    evidence = "; ".join([*(worth.evidence for worth in known), "more than rounding, of no part"])
    tokens = sum((worth.tokens or ZERO for worth in known), ZERO) if known else None
    return [*others, Worth("unexplained", tokens, left + sum((worth.usd for worth in known), ZERO), evidence)]
