"""What part of every line of a bill belongs to somebody who has a part of their sum.

Here belongs: the split of one part over signed lines. Here does not belong: how large the part is (the ledger says so).
"""

from collections.abc import Sequence


def parts_of(lines: Sequence[int], part: int) -> list[int]:
    """The same share of every line: the parts sum to `part` exactly, each within a unit of its quota.

    The method is that of largest remainder, for lines of either sign: `part * line / sum` rounded down, and the units
    that are left to the largest remainders, in the order given. Lines that cancel each other share by their sizes.

    Args:
        lines: whole units of either sign.
        part: whole units, of the sum of the lines.

    Raises:
        ValueError: there is no line to carry the part.
    """
    weights, whole = list(lines), sum(lines)
    if part == whole:
        return weights
    if whole == 0:
        weights = [abs(line) for line in lines] if any(lines) else [1] * len(lines)
        whole = sum(weights)
    if whole == 0:
        raise ValueError(f"no line carries {part}: expected at least one")
    if whole < 0:  # so that remainders are never negative
        weights, whole = [-weight for weight in weights], -whole
    parts = [part * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(part * weights[i] % whole))
    for index in by_remainder[: part - sum(parts)]:
        parts[index] += 1
    return parts
