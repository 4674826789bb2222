"""A look at a stored log before the first night: whether the layout finds files, and what one of them holds."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from connectors.base import SourceError
from connectors.logs.files import Csv, Unreadable, rows_of
from connectors.logs.listing import content_of, first_listed
from connectors.logs.paths import value_at
from connectors.logs.settings import StoredRowsSettings
from connectors.names import nearest
from connectors.storage import StoredObject

_LISTED = 1_000  # a log may have millions of files
_ROWS = 100

Row = Mapping[str, Any]


def matching_files(settings: StoredRowsSettings) -> list[StoredObject]:
    """The files of any day among the first ones below the location; empty where nothing lies there yet.

    Raises SourceError when the location cannot be listed, or holds files of which the layout fits none.
    """
    pattern = settings.any_day_pattern
    listed = first_listed(settings, pattern, _LISTED)
    found = [stored for stored in listed if fnmatchcase(stored.path, pattern)]
    if listed and not found:
        seen = f"the first {len(listed):,} files" if len(listed) >= _LISTED else f"its {len(listed):,} files"
        raise SourceError(
            f"{settings.location}: the layout {settings.layout!r} fits none of {seen}, such as {listed[-1].path}; "
            "write `layout` as the paths below the location are, or correct the location"
        )
    return found


def found_there(settings: StoredRowsSettings) -> str:
    """One line on what lies at the location. Raises SourceError as `matching_files` does."""
    found = matching_files(settings)
    if not found:
        return f"{settings.location} can be listed; nothing lies there yet"
    return f"{settings.location} can be listed; {settings.layout} fits its files, such as {found[-1].path}"


def first_rows(settings: StoredRowsSettings, stored: StoredObject, shape: Csv | None) -> list[Row]:
    """Rows at the beginning of a file. Raises SourceError for a file of another kind, or without a readable row."""
    where = f"{settings.location}: {stored.path}"
    with content_of(settings, stored).open() as stream:
        found = list(islice(rows_of(stream, where, shape), _ROWS))
    rows = [row for row in found if isinstance(row, Mapping)]
    unreadable = [row for row in found if isinstance(row, Unreadable)]
    if unreadable and not rows:
        lacks = f"; it has no column {unreadable[0].lacks}" if unreadable[0].lacks else ""
        raise SourceError(f"{where} cannot be read as this log ({unreadable[0].reason}){lacks}")
    return rows


def absent(rows: Iterable[Row], paths: Iterable[str]) -> list[str]:
    """The paths at which no row holds anything, each with the column that may be meant."""
    given = list(rows)
    names = sorted({name for row in given for name in row})
    lacking = [path for path in paths if not any(path in row or value_at(row, path) is not None for row in given)]
    meant = {path: nearest(path, names) for path in lacking if "." not in path}
    return [f"{path} (is it {meant[path]}?)" if meant.get(path) else path for path in lacking]
