"""In which order shared pools empty, and where pools that feed each other give their cost in the end.

A pool with stated shares may feed other pools. Without a circle they empty one after the other (the step-down method).
Pools in a circle are solved together (the reciprocal method): what each gives away, directly and through the others, is
the solution of (I - A) x = b in exact fractions, with A the shares inside of the circle and b those that leave it.

Here belongs: arithmetic on shares. Here does not belong: amounts of money (`models.pool_moves`).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from graphlib import TopologicalSorter
from math import lcm

Shares = Mapping[str, Mapping[str, int]]
"""Whole weights of the accounts that each pool's account feeds."""


def without_circles(shares: Shares) -> dict[str, dict[str, int]]:
    """The shares with every circle solved: no account reaches itself any more, and all carry what they carried.

    Args:
        shares: for each account that is split, the weights of those it feeds: not negative, one of them above zero.

    Raises:
        ValueError: pools feed only one another, so that nobody would carry their cost.
    """
    reached = {account: _reached(account, shares) for account in shares}
    solved: dict[str, dict[str, int]] = {}
    for account, fed in shares.items():
        circle = [other for other in shares if other in reached[account] and account in reached[other]]
        solved[account] = _leaving(account, circle, shares) if circle else {to: n for to, n in fed.items() if n}
    return solved


def layers(pools: Sequence[str], shares: Shares) -> list[list[str]]:
    """The pools' accounts in the order of emptying: none feeds one of its own layer or of an earlier one.

    Args:
        pools: the accounts of all pools.
        shares: as `without_circles` gives them; pools without shares feed no pool.
    """
    order = TopologicalSorter({pool: [feeder for feeder in shares if pool in shares[feeder]] for pool in pools})
    order.prepare()
    found: list[list[str]] = []
    while order.is_active():
        ready = order.get_ready()
        order.done(*ready)
        found.append(sorted(ready))
    return found


def _reached(start: str, shares: Shares) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        for account, weight in shares.get(ahead.pop(), {}).items():
            if weight and account not in found:
                found.add(account)
                ahead.append(account)
    return found


def _leaving(account: str, circle: Sequence[str], shares: Shares) -> dict[str, int]:
    """Whole weights of the accounts outside of the circle that carry what is put into `account`."""
    outside = sorted({to for member in circle for to in shares[member]} - set(circle))
    whole = {member: sum(shares[member].values()) for member in circle}
    part = {(one, to): Fraction(shares[one].get(to, 0), whole[one]) for one in circle for to in [*circle, *outside]}
    rows = [
        [Fraction(one == to) - part[one, to] for to in circle] + [part[one, to] for to in outside] for one in circle
    ]
    if not _eliminate(rows):
        raise ValueError(
            f"pools {', '.join(sorted(circle))} feed only one another: expected a share of a team in one of them"
        )
    carried = rows[circle.index(account)][len(circle) :]
    scale = lcm(*(share.denominator for share in carried))
    return {to: int(share * scale) for to, share in zip(outside, carried, strict=True) if share}


def _eliminate(rows: list[list[Fraction]]) -> bool:
    """Gauss and Jordan, in place: the left square becomes the identity. Whether it could."""
    for column in range(len(rows)):
        pivot = next((row for row in range(column, len(rows)) if rows[row][column]), None)
        if pivot is None:
            return False
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [value / head for value in rows[column]]
        for row, values in enumerate(rows):
            if row != column and (factor := values[column]):
                rows[row] = [value - factor * lead for value, lead in zip(values, rows[column], strict=True)]
    return True
