"""The exact split of many totals at once, on columns: the same answer as `largest_remainder`, group by group.

A tree is split from above: first between its branches, then each branch's part between what hangs on it. So every
subtotal is itself within one unit of its quota, and what hangs on a branch sums to it.

Here belongs: the vectorised form and its guard against 128-bit overflow. The rule itself is in `models.allocation`.
"""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from models.allocation import largest_remainder

_SAFE_PRODUCT = 2.0**125
"""Products below this cannot wrap a signed 128-bit integer, even with the error of the estimate in double precision."""


def split_groups(rows: pl.DataFrame, totals: Sequence[str], *, group: str, weight: str, tie: str) -> pl.DataFrame:
    """Replaces, in every row, the group's total by the row's share of it.

    Args:
        rows: one row for each member of a group, in any order.
        totals: columns of whole units (Int128), the same value on every row of a group.
        group: column that names the group.
        weight: column of whole weights (Int128), not negative.
        tie: column that orders the members of a group, unique in it: equal remainders are served in that order.

    Returns:
        The rows sorted by group and tie, with shares in place of the totals.

    Raises:
        ValueError: a weight is negative, or all weights of a group are zero.
    """
    if rows.is_empty():
        return rows
    weighed = rows.sort(group, tie).with_columns(_whole=pl.col(weight).sum().over(group))
    _check_weights(weighed, group, weight)
    largest = pl.max_horizontal(pl.col(name).cast(pl.Float64).abs() for name in totals)
    mass = pl.col(weight).cast(pl.Float64).sum().over(group)  # an estimate of magnitude only: the split is in integers
    fits = weighed.select((largest.clip(1) * mass < _SAFE_PRODUCT).alias("fits"))["fits"]
    narrow = _split_narrow(weighed.filter(fits), totals, group, weight, tie)
    if fits.all():
        return narrow.drop("_whole")
    wide = _split_wide(weighed.filter(~fits), totals, group, weight)
    return pl.concat([narrow, wide]).drop("_whole").sort(group, tie)


def split_tree(
    rows: pl.DataFrame, totals: Sequence[str], *, group: str, levels: Sequence[str], weight: str, tie: str
) -> pl.DataFrame:
    """As `split_groups`, but from above: between the values of the first level, within each of the next, and so on.

    Args:
        rows: as for `split_groups`.
        totals: likewise.
        group: likewise.
        levels: columns of text that name the branches, from the top down; branches of equal remainders are served in
            the order of their names, NULL before all.
        weight: likewise.
        tie: orders the members of a branch of the lowest level, unique in it.

    Returns:
        The rows sorted by group, levels and tie, with shares in place of the totals.

    Raises:
        ValueError: as `split_groups`.
    """
    if rows.is_empty():
        return rows
    path = [group, *levels]
    nodes = {f"_node{depth}": pl.struct(path[: depth + 1]).rle_id() for depth in range(len(path))}
    ordered = rows.sort(*path, tie, nulls_last=False).with_columns(**nodes)
    _check_weights(ordered.with_columns(_whole=pl.col(weight).sum().over(group)), group, weight)
    for above, node in pairwise(nodes):
        summed = ordered.group_by(above, node, maintain_order=True).agg(
            pl.col(weight).sum(), *(pl.col(name).first() for name in totals)
        )
        parts = _split_branches(summed, totals, above, weight, node).select(node, *totals)
        ordered = ordered.drop(totals).join(parts, on=node, how="left", maintain_order="left")
    return _split_branches(ordered, totals, f"_node{len(levels)}", weight, tie).select(rows.columns)


def _split_branches(rows: pl.DataFrame, totals: Sequence[str], group: str, weight: str, tie: str) -> pl.DataFrame:
    # most branches have one member, which takes all of it: they need no arithmetic
    alone = rows.select(pl.len().over(group) == 1).to_series()
    shared = rows.filter(~alone)
    # a branch that weighs nothing has got nothing: between whom that is split is all the same
    has_weight = pl.col(weight).sum().over(group) > 0
    evened = shared.with_columns(_weight=pl.when(has_weight).then(weight).otherwise(pl.lit(1, pl.Int128)))
    split = split_groups(evened, totals, group=group, weight="_weight", tie=tie).drop("_weight")
    return pl.concat([rows.filter(alone), split]).sort(group, tie)


def part_of(amount: str, some: str, whole: str) -> pl.Expr:
    """`amount * some / whole` of a column of whole units, rounded half away from zero; NULL where one of them is."""
    size = (pl.col(amount).abs() * pl.col(some) * 2 + pl.col(whole)) // (pl.col(whole).cast(pl.Int128) * 2)
    return pl.when(pl.col(amount) < 0).then(size * -1).otherwise(size)


def _check_weights(weighed: pl.DataFrame, group: str, weight: str) -> None:
    broken = weighed.filter((pl.col(weight) < 0) | (pl.col("_whole") == 0))
    if not broken.is_empty():
        name, found, whole = broken.select(group, weight, "_whole").row(0)
        raise ValueError(f"group {name}: weight {found} of {whole}; expected weights >= 0 with at least one above zero")


def _split_narrow(rows: pl.DataFrame, totals: Sequence[str], group: str, weight: str, tie: str) -> pl.DataFrame:
    for name in totals:
        product = pl.col(name).abs() * pl.col(weight)
        quota = product // pl.col("_whole")
        shares = rows.with_columns(_part=quota, _rest=product - quota * pl.col("_whole")).sort(
            group, "_rest", tie, descending=[False, True, False]
        )
        left = pl.col(name).abs() - pl.col("_part").sum().over(group)
        turn = pl.int_range(pl.len(), dtype=pl.Int64).over(group)
        part = pl.col("_part") + (turn < left).cast(pl.Int128)
        signed = pl.when(pl.col(name) < 0).then(part * -1).otherwise(part)
        rows = shares.with_columns(signed.alias(name)).drop("_part", "_rest")
    return rows.sort(group, tie)


def _split_wide(rows: pl.DataFrame, totals: Sequence[str], group: str, weight: str) -> pl.DataFrame:
    pieces: list[pl.DataFrame] = []
    for _, piece in rows.group_by(group, maintain_order=True):
        weights = piece[weight].to_list()
        parts = [pl.Series(name, largest_remainder(piece[name][0], weights), dtype=pl.Int128) for name in totals]
        pieces.append(piece.with_columns(parts))
    return pl.concat(pieces)
