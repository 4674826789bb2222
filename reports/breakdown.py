"""A total split into lines that add up to it as printed.

Here belongs: grouping one team's rows, keeping the largest lines, rounding them so that they foot.
Here does not belong: what the lines mean.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from models.minor_units import minor_unit
from reports.money import ZERO, apportion, exact_sum

LINE_LIMIT = 8  # what fits on a page beside everything else; the rest is one line that foots
Sum = tuple[str, str, Decimal]
"""Label, note beside it, exact amount."""


@dataclass(frozen=True)
class Line:
    """One printed line. `share` is its part of the total; None where parts of a total mean nothing."""

    label: str
    note: str
    amount: Decimal
    share: Decimal | None = None


@dataclass(frozen=True)
class Breakdown:
    """Lines whose amounts add up to `total` as printed."""

    lines: tuple[Line, ...]
    total: Decimal


def grouped(rows: pl.DataFrame, keys: Sequence[str], name: Callable[..., tuple[str, str]]) -> list[Sum]:
    """The exact `effective_cost` of each combination of `keys`, named by `name(*values)`."""
    sums = rows.group_by(keys).agg(pl.col("effective_cost").sum()).sort(keys)
    return [(*name(*values), amount) for *values, amount in sums.iter_rows()]


def split(sums: Sequence[Sum], total: Decimal, currency: str, limit: int | None = LINE_LIMIT) -> Breakdown:
    """The largest lines by size (credits count by their size too) and one line for all others.

    `total` is the total as printed; the lines add up to it. Lines of nothing are left out.
    """
    ranked = sorted((s for s in sums if s[2]), key=lambda s: (-abs(s[2]), s[0], s[1]))
    if limit is not None and len(ranked) > limit + 1:
        others = ranked[limit:]
        ranked = [*ranked[:limit], (f"{len(others):,} others", "", exact_sum(s[2] for s in others))]
    return as_listed(ranked, total, currency)


def as_listed(sums: Sequence[Sum], total: Decimal, currency: str) -> Breakdown:
    """Every line in the order given, rounded so that they add up to `total`."""
    amounts = apportion([amount for _, _, amount in sums], total, minor_unit(currency))
    shares = _shares(amounts, total)
    lines = (Line(s[0], s[1], amount, share) for s, amount, share in zip(sums, amounts, shares, strict=True))
    return Breakdown(tuple(lines), total)


def _shares(amounts: Sequence[Decimal], total: Decimal) -> Sequence[Decimal | None]:
    if total <= 0 or any(amount < 0 for amount in amounts):
        return [None] * len(amounts)
    return apportion([amount / total for amount in amounts], Decimal(1), Decimal("0.001"))


def sums_by(rows: pl.DataFrame, key: str, labels: Mapping[str, str]) -> list[Sum]:
    """Exact sums by a column with a closed vocabulary, in the order of `labels`; absent values count as nothing."""
    found = {name: amount for name, _, amount in grouped(rows, [key], lambda value: (value, ""))}
    unlabelled = [name for name in found if name not in labels]
    words = dict(labels) | {name: name.replace("_", " ").capitalize() for name in unlabelled}
    return [(word, "", found.get(name, ZERO)) for name, word in words.items()]
