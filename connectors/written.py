"""How many files of each month a store lists, and when the last of them was written, by the store's own clock."""

from collections.abc import Callable, Iterable
from datetime import UTC, date

from connectors.base import MonthFiles
from connectors.storage import StoredObject


def written_by_month(objects: Iterable[StoredObject], month_of: Callable[[str], date | None]) -> dict[date, MonthFiles]:
    """The files of each month that a path names; objects whose path names none are nobody's."""
    found: dict[date, MonthFiles] = {}
    for stored in objects:
        month, at = month_of(stored.path), stored.modified
        if month is None:
            continue
        known = found.get(month, MonthFiles(0, None))
        instant = at if at is None or at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
        latest = max((t for t in (instant, known.latest) if t is not None), default=None)
        found[month] = MonthFiles((known.count or 0) + 1, latest)
    return found
