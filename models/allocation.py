"""Exact splits: a whole is divided by integer weights and the parts add up to it, always.

The method is largest remainder (Hamilton): everybody gets the floor of their quota, the units that are left go to the
largest remainders, ties in the order given. Every part is less than one unit away from its quota. It is not monotone
in the total (the Alabama paradox), which is why money is split once, at pico-units, and only displayed more coarsely.

Here belongs: splitting numbers. Here does not belong: who gets a share and why (that is the ledger).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from models.money import from_units, to_units


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Splits `total` units in proportion to `weights`; the parts sum to it exactly, each within one unit of its quota.

    Args:
        total: whole units of either sign; the sign is kept.
        weights: whole, not negative. A zero weight gets zero. Equal remainders are served in the order given.

    Raises:
        ValueError: a weight is negative, or there is no weight above zero to carry the total.
    """
    whole = sum(weights)
    if any(weight < 0 for weight in weights):
        raise ValueError(f"weight {min(weights)} is negative: credits are split by the weights of their charge instead")
    if whole == 0:
        raise ValueError(f"all {len(weights)} weights are zero: nobody can carry {total}, it belongs to a residual")
    sign, magnitude = (-1, -total) if total < 0 else (1, total)
    parts = [magnitude * weight // whole for weight in weights]
    left = magnitude - sum(parts)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: -(magnitude * weights[i] % whole))
        for index in by_remainder[:left]:
            parts[index] += 1
    return [sign * part for part in parts]


def split_cost(total: Decimal, weights: Mapping[str, int]) -> dict[str, Decimal]:
    """Splits money over keys at 1e-12; equal remainders are served in the order of the keys, not of the mapping.

    Args:
        total: an amount with at most twelve decimal places.
        weights: whole weight of every key, not negative.

    Raises:
        ValueError: as `largest_remainder`, or the amount is finer than 1e-12.
        OverflowError: the amount does not fit DECIMAL(38,12).
    """
    keys = sorted(weights)
    parts = largest_remainder(to_units(total), [weights[key] for key in keys])
    return {key: from_units(part) for key, part in zip(keys, parts, strict=True)}


def split_tree(total: Decimal, weights: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], Decimal]:
    """Splits money over paths (team, project, feature) from the top down, so that subtotals foot at every level.

    Args:
        total: an amount with at most twelve decimal places.
        weights: whole weight of every leaf, by its path. All paths are equally long, at least one step.

    Raises:
        ValueError: as `split_cost`, or the paths differ in length.
    """
    if len({len(path) for path in weights}) > 1 or () in weights:
        raise ValueError("all paths must have the same length of at least one step")
    return {path: from_units(part) for path, part in _split_branches(to_units(total), sorted(weights.items()), 0)}


def _split_branches(
    total: int, leaves: Sequence[tuple[tuple[str, ...], int]], depth: int
) -> list[tuple[tuple[str, ...], int]]:
    if leaves and depth == len(leaves[0][0]):
        return [(leaves[0][0], total)]
    branches = [list(branch) for _, branch in groupby(leaves, key=lambda leaf: leaf[0][depth])]
    shares = largest_remainder(total, [sum(weight for _, weight in branch) for branch in branches])
    parts: list[tuple[tuple[str, ...], int]] = []
    for branch, share in zip(branches, shares, strict=True):
        if share or any(weight for _, weight in branch):
            parts += _split_branches(share, branch, depth + 1)
        else:
            parts += [(path, 0) for path, _ in branch]
    return parts
