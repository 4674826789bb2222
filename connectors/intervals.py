"""Stretches of time: cut where the house's facts may not cross, at UTC midnight, and what several of them leave out.

Here belongs: stretches as such. Here does not belong: what holds over one.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

Instant = TypeVar("Instant", int, datetime)
_DAY = timedelta(days=1)
ANY_MIDNIGHT = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone, as everywhere in this house


def cut_at_midnights(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The pieces of `[start, end)` that each lie in one UTC day, oldest first; none where `end` is not after `start`.

    23:00 to 01:00 gives 23:00 to 00:00 and 00:00 to 01:00. Instants are UTC without a zone.
    """
    while start < end:
        after = min(start - (start - ANY_MIDNIGHT) % _DAY + _DAY, end)
        yield start, after
        start = after


def first_gap(spans: Iterable[tuple[Instant, Instant]], start: Instant, end: Instant) -> tuple[Instant, Instant] | None:
    """From and to when the first stretch goes that lies between two spans and in none; None where there is none.

    Only spans within `[start, end]` count. What is before the first of them and after the last is no gap between any.
    """
    reached: Instant | None = None
    for begins, ends in sorted({span for span in spans if start <= span[0] and span[1] <= end}):
        if reached is not None and begins > reached:
            return reached, begins
        reached = ends if reached is None else max(reached, ends)
    return None
