"""What a delivery that is no bill says otherwise than the slice that it replaces: rows, tokens, the money it states.

A log of an ended day changes every figure that stands on it, and no invoice tells: so the night does.
"""

from decimal import Decimal
from typing import NamedTuple

from pipelines.lake.totals import plain


class Count(NamedTuple):
    """Rows of a slice, their tokens, and USD that they state; None is unknown."""

    rows: int
    tokens: int | None
    usd: Decimal | None


def recounted(before: Count, now: Count, *, is_changed: bool) -> str | None:
    """The change in words, for people; None where there is none.

    Args:
        before: of the slice in place, which was whole.
        now: of the delivery that replaces it.
        is_changed: whether rows differ, which equal sums do not tell.
    """
    told = [
        f"{_count(after, unit)} where {_count(earlier, unit)} {'was' if earlier == 1 else 'were'}"
        for earlier, after, unit in ((before.rows, now.rows, "row"), (before.tokens, now.tokens, "token"))
        if earlier != after
    ]
    if before.usd != now.usd:
        told.append(f"{_usd(now.usd)} stated where {_usd(before.usd)} were")
    if is_changed and not told:
        told = [f"some of its {now.rows:,} rows say something else"]
    return f"changed since it was whole: {', '.join(told)}" if told else None


def _count(count: int | None, unit: str) -> str:
    if count is None:
        return f"no {unit}s"
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def _usd(amount: Decimal | None) -> str:
    return "no money" if amount is None else f"USD {plain(amount)}"
