"""When the files of each month were last written, by the store's own clock."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from connectors.storage import StoredObject


def written_by_month(objects: Iterable[StoredObject], month_of: Callable[[str], date | None]) -> dict[date, datetime]:
    """The latest instant of each month that a path names, UTC without a zone; objects without either say nothing."""
    found: dict[date, datetime] = {}
    for stored in objects:
        month, at = month_of(stored.path), stored.modified
        if month is not None and at is not None:
            instant = (at.astimezone(UTC) if at.tzinfo else at).replace(tzinfo=None)
            found[month] = max(instant, found.get(month, instant))
    return found
