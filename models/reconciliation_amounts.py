"""A difference of money in amounts that have a cause each, and what they leave.

Here belongs: what volume and rate have in common. Here does not belong: causes and their evidence.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from models.reconciliation_sides import ZERO


class Amount(NamedTuple):
    """A share of a cell's difference.

    `tokens` are billed less logged ones, None where it is no matter of tokens; `rounding_limit` is the most that
    rounding can be, and of it alone.
    """

    cause: str
    tokens: Decimal | None
    usd: Decimal
    evidence: str
    rounding_limit: Decimal | None = None


def by_cause(amounts: Iterable[Amount]) -> list[Amount]:
    """One amount for each cause, with all its evidence; none where there are neither tokens nor money.

    What has no rate is told whatever is known of it: how much money it is nobody knows.
    """
    found: dict[str, Amount] = {}
    for one in filter(_is_told, amounts):
        found[one.cause] = _both(found[one.cause], one) if one.cause in found else one
    return list(filter(_is_told, found.values()))


def rest(usd: Decimal, limit: Decimal, rounded: str, beyond: str) -> Amount:
    """What amounts leave of a difference: rounding as far as digits can leave as much, more of it is unexplained.

    Args:
        usd: what is left.
        limit: the most that rounding can be.
        rounded: what is rounded.
        beyond: the evidence of what is more.
    """
    is_rounding = abs(usd) <= limit
    return Amount("rounding", None, usd, rounded, limit) if is_rounding else Amount("unexplained", None, usd, beyond)


def _is_told(one: Amount) -> bool:
    return bool(one.tokens or one.usd) or one.cause == "no_rate"


def _both(one: Amount, other: Amount) -> Amount:
    tokens = [amount.tokens for amount in (one, other) if amount.tokens is not None]
    evidence = "; ".join(dict.fromkeys([*one.evidence.split("; "), *other.evidence.split("; ")]))
    return Amount(one.cause, sum(tokens, ZERO) if tokens else None, one.usd + other.usd, evidence)
