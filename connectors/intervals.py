"""Cuts stretches of time where the house's facts may not cross: at UTC midnight.

Here belongs: cutting. Here does not belong: what holds over a stretch.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

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
