"""Which month a path belongs to.

A bill is delivered by billing period, and restated as a whole: the window of this source is the calendar month.
"""

import re
from collections.abc import Iterator
from datetime import date
from fnmatch import fnmatchcase

from connectors.focus.settings import BillSettings

# YYYY-MM or YYYYMM, with or without the day and the hour after it; not a piece of a longer number, an account say.
_MONTH = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?:-?[0-3]\d)?(?:T?[0-2]\d:?[0-5]\d)?(?!\d)")
_YEAR = re.compile(r"(?=(20\d\d))")  # also years that overlap, as in 202026


def month_of(path: str, settings: BillSettings) -> date | None:
    """The month that a path names, as its first day; None where it names none.

    Without a layout the first month in the path counts: a later one is the time of the export.
    """
    if settings.layout is None:
        found = _MONTH.search(path)
        return date(int(found[1]), int(found[2]), 1) if found else None
    return next((m for m in _candidates(path) if fnmatchcase(path, settings.month_pattern(m))), None)


def _candidates(path: str) -> Iterator[date]:
    """Every month of every year that the path may name; December first, so that `1` is not found in `12`."""
    for year in dict.fromkeys(_YEAR.findall(path)):
        yield from (date(int(year), month, 1) for month in range(12, 0, -1))
