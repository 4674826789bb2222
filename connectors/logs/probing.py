"""A look at a stored log before the first night: whether the layout finds files, and what some of them hold."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.logs.files import Csv, Found, Unreadable, rows_of
from connectors.logs.lacking import Row, with_meant
from connectors.logs.listing import content_of, first_listed
from connectors.logs.settings import StoredRowsSettings
from connectors.storage import StoredObject

_LISTED = 10_000  # a log may have millions of files; stores list a thousand at a time
_FILES = 4  # a log changes over time: the first, the newest, and some between
_ROWS = 250  # of each; one row may be a hundred KiB, and whoever waits is at a terminal
_DELIMITERS = (",", ";", "\t", "|")
_WHY: Mapping[str, str] = MappingProxyType(
    {
        "not_json": "the line is no JSON",
        "not_an_object": "it is JSON, but no object",
        "wrong_field_count": "it has another number of columns than the header",
        "unknown_format": "the file is neither JSON nor Parquet, nor a CSV with the columns that every row needs",
    }
)


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


class Seen(NamedTuple):
    """A row at the beginning of a file, and where it stands, from 1: `row 3`."""

    row: Row
    path: str
    place: str


class Unread(NamedTuple):
    """What could not be read as a row, and why; a file as a whole has no place in it."""

    path: str
    place: str
    reason: str


@dataclass
class Look:
    """What was seen of a stored log: the first rows of some files, from the first to the newest; which are cut off."""

    rows: list[Seen] = field(default_factory=list[Seen])
    unread: list[Unread] = field(default_factory=list[Unread])
    cut: list[Unread] = field(default_factory=list[Unread])

    @property
    def row_count(self) -> int:
        """Rows that were looked at, read or not."""
        return len(self.rows) + len(self.unread)

    @property
    def where(self) -> str:
        """What was looked at, in words: how many rows of which files."""
        paths, rows = self._paths(), "the first row" if self.row_count == 1 else f"the first {self.row_count:,} rows"
        of = paths[0] if len(paths) == 1 else f"{len(paths)} files ({paths[0]} to {paths[-1]})"
        return f"{rows} of {of}"

    def told(self, count: int, fate: str, first: Seen | Unread) -> str:
        """How many of the rows something is true of, and where the first of them stands."""
        if self.row_count == 1:
            return f"{self.where} {fate}"
        names = [first.place] if len(self._paths()) == 1 else [first.place, first.path]
        place = " of ".join(name for name in names if name)
        return f"{count:,} of {self.where} {fate} (the first: {place})"

    def cut_told(self) -> list[str]:
        """A sentence on each file that is cut off."""
        lost = "a night takes nothing of the days for which it reads it, and what was there before stays"
        return [f"{file.reason}, unless it is being written just now: till then {lost}" for file in self.cut]

    def _paths(self) -> list[str]:
        return sorted({seen.path for seen in (*self.rows, *self.unread)})


Records = Callable[[Row], Iterable[Row]]
"""The records that a row of a file holds: itself, or many where a document is an envelope."""


def look(settings: StoredRowsSettings, shape: Csv | None, records: Records | None = None) -> Look | None:
    """The first rows of some files; None where none lies there yet, or they are empty.

    Raises SourceError as `matching_files` does, and where no file has a readable row.
    """
    found, delimiter = Look(), shape.delimiter if shape else ","
    for stored in _spread([stored for stored in matching_files(settings) if stored.size]):
        where = f"{settings.location}: {stored.path}"
        try:
            with content_of(settings, stored).open() as stream:
                for seen in islice(_seen(rows_of(stream, where, shape), stored.path, records, delimiter), _ROWS):
                    found.rows.append(seen) if isinstance(seen, Seen) else found.unread.append(seen)
        except IncompleteDeliveryError as error:  # one of them may be written just now
            found.cut.append(Unread(stored.path, "", str(error)))
    if not found.rows and (found.unread or found.cut):
        path, _, reason = (*found.unread, *found.cut)[0]
        raise SourceError(f"{settings.location}: {path} cannot be read as this log: {reason}")
    return found if found.rows else None


def _spread(files: Sequence[StoredObject]) -> list[StoredObject]:
    """The first, the last, and some between them."""
    if len(files) <= _FILES:
        return list(files)
    return [files[(len(files) - 1) * number // (_FILES - 1)] for number in range(_FILES)]


def _lacks_told(file: Unreadable, delimiter: str) -> str:
    """The columns that a table lacks. Its first line is not repeated: without a header it is a row."""
    if not file.lacks:
        return ""
    wanted, line = file.lacks.split(", "), delimiter.join(file.header)
    if "\0" in line:
        return "; it looks like UTF-16: write it as UTF-8"
    for sign in _DELIMITERS:
        if set(wanted) <= {name.strip(' "') for name in line.split(sign)}:
            return f"; its columns are divided by {sign!r}: set delimiter: {json.dumps(sign)}"
    return f"; it has no column {with_meant(wanted, file.header)}"


def _seen(rows: Iterable[Found], path: str, records: Records | None, delimiter: str) -> Iterator[Seen | Unread]:
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Unreadable):
            told = f"{_WHY.get(row.reason, row.reason)}{_lacks_told(row, delimiter)}"
            yield Unread(path, f"row {number}" if row.line else "", told)
            continue
        held = [row] if records is None else list(records(row))
        of = [f"row {number}"] if len(held) == 1 else [f"record {n} of row {number}" for n in range(1, len(held) + 1)]
        yield from (Seen(record, path, place) for record, place in zip(held, of, strict=True))
