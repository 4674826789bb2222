"""Exact splits: a whole is divided by integer weights and the parts add up to it, always.

The method is largest remainder (Hamilton): everybody gets the floor of their quota, the units that are left go to the
largest remainders, ties in the order given. Every part is less than one unit away from its quota. It is not monotone
in the total (the Alabama paradox), which is why money is split once, at pico-units, and only displayed more coarsely.

Here belongs: splitting numbers. Here does not belong: who gets a share and why (that is the ledger).
"""

from collections.abc import Sequence


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
