"""By which accounts money came to where it rests: the moves of a charge from its bill on.

Here belongs: the ways through the journal of one charge. Here does not belong: amounts; where pools feed one another a
charge may have come by several ways, and the journal does not say how much by which.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import polars as pl

ARROW = " > "
_WAYS = 4  # that are told of one charge and account; more would be no help
Edge = tuple[str, str, str]
"""From account, rule, to account."""


def routes(journal: pl.DataFrame, moves: pl.DataFrame) -> pl.Series:
    """For each of the moves, by which accounts and rules its money came, from the bill to the account that it leaves.

    Args:
        journal: the whole journal of the charges, with origin and period.
        moves: charge_group_id, origin, period, from_account; charges that the journal lacks came by no known way.
    """
    key = ["origin", "period", "charge_group_id"]
    between = journal.filter(~pl.col("is_final_account")).select(*key, "from_account", "rule_id", "to_account")
    edges: dict[tuple[object, ...], list[Edge]] = {}
    for *of, source, rule, target in between.sort(between.columns).rows():
        edges.setdefault(tuple(of), []).append((source, rule, target))
    asked = moves.select(*key, "from_account").rows()
    ways = [_ways(tuple(edges.get(tuple(of), ())), account) if account else "" for *of, account in asked]
    return pl.Series("route", ways, pl.String)


@cache
def _ways(edges: Sequence[Edge], account: str) -> str:
    into: dict[str, list[Edge]] = {}
    for edge in edges:
        into.setdefault(edge[2], []).append(edge)
    found = sorted(set(_to(account, into, ())))
    more = [f"{len(found) - _WAYS} more ways"] if len(found) > _WAYS else []
    return "; ".join([*found[:_WAYS], *more])


def _to(account: str, into: Mapping[str, list[Edge]], after: tuple[str, ...]) -> list[str]:
    """Every way to an account; none goes through one account twice."""
    before = [edge for edge in into.get(account, ()) if edge[0] not in after]
    if not before:
        return [account]
    return [f"{way}{ARROW}{account}" for source, _, _ in before for way in _to(source, into, (*after, account))]
