"""Pages of one day: every row that started on it, through the allow-list, bundled and in one fixed order.

A log files a row by its own clock, or by when it was written: the day's rows also lie under neighbouring days.
Rows of other days are left to their own windows; a row that no window would reach is landed here, to be refused.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson

from connectors.base import Bytes, Page, SourceError, Window
from connectors.logs.allow_list import Redactor, UnlandableError, rules_of
from connectors.logs.apart import helpers_for, lines_of_jobs, pieces
from connectors.logs.files import Csv, Found, Quick, Unreadable, rows_of
from connectors.logs.instants import day_of, instant_of
from connectors.logs.listing import content_of, files_of_days
from connectors.logs.plain_lines import PlainLines
from connectors.logs.settings import StoredRowsSettings
from connectors.logs.values import path_rule
from connectors.storage import StoredObject

ROWS_PER_PAGE = 10_000
_SMALL_BYTES = 1024 * 1024
_READ_TOGETHER = 64  # small objects in flight: some loggers write one for every request
_THREADS = 16

Filed = tuple[StoredObject, date | None]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class StoredShape:
    """How the files of a stored log look, and what of them may be landed.

    `redact` is the allow-list. `started` gives the microsecond at which a row started, asked before the allow-list
    runs; None where it cannot be read. `records` gives the rows that one row of a file holds: a line of traces holds
    many. `csv` is None for a log that is never CSV. `plain` lands plain lines of JSON without making rows of them.
    """

    redact: Redactor
    started: Callable[[Row], int | None]
    records: Callable[[Row], Iterable[Row]] | None = None
    csv: Csv | None = None
    plain: PlainLines | None = None


def land_stored(settings: StoredRowsSettings, window: Window, shape_of: Callable[[], StoredShape]) -> Iterator[Page]:
    """The window's pages: canonical JSON lines of at most `ROWS_PER_PAGE` rows, the same for the same objects.

    `shape_of` is a function that can be pickled: large logs are read by several processes, each with a shape of its
    own. No page means that the location was read and holds nothing for the window.
    """
    filed = files_of_days(settings, settings.reach(window.slice_date))
    if helpers := helpers_for(stored for stored, _ in filed):
        parts = pieces(filed, stored=lambda item: item[0])
        jobs = (partial(_write_lines, settings, window, shape_of, part) for part in parts)
        return _pages(lines_of_jobs(jobs, helpers), window.slice_date)
    return _pages(_lines_of(settings, window, shape_of(), filed), window.slice_date)


def _write_lines(
    settings: StoredRowsSettings,
    window: Window,
    shape_of: Callable[[], StoredShape],
    filed: Sequence[Filed],
    sink: BinaryIO,
) -> None:
    lines = _lines_of(settings, window, shape_of(), filed)
    try:
        sink.writelines(lines)
        sink.flush()
    except OSError as error:  # files are read by `connectors.storage`, whose errors are others
        raise SourceError(
            f"{settings.location}: what was read could not be kept for its turn ({error.strerror}); make room in the "
            f"folder for temporary files, {tempfile.gettempdir()}"
        ) from None


def _lines_of(
    settings: StoredRowsSettings, window: Window, shape: StoredShape, filed: Sequence[Filed]
) -> Iterator[bytes]:
    """What is landed of the files, line by line."""
    day, first, last = window.slice_date, instant_of(window.start), instant_of(window.end) - 1

    def belongs(started: int | None, folder: date | None) -> bool:
        """Asked before the allow-list runs: of a neighbouring day's folder most rows are another window's."""
        if started is not None and first <= started <= last:
            return True
        return _is_nobodys(day, None if started is None else day_of(started), folder, settings)

    def quick_of(folder: date | None) -> Quick | None:
        return None if shape.plain is None else shape.plain(lambda started: belongs(started, folder))

    def started(row: Found) -> int | None:
        return None if isinstance(row, Unreadable) else shape.started(row)

    shown = path_rule(rules_of(settings.hash_key).text)
    return (
        row if isinstance(row, bytes) else _line(_landed(row, shape.redact, path))
        for (stored, folder), rows in _opened(settings, filed, shape, quick_of)
        for path in (shown(stored.path),)
        for row in rows
        if isinstance(row, bytes) or belongs(started(row), folder)
    )


def landed_lines(row: Found, shape: StoredShape, path: str) -> Iterator[bytes]:
    """What is landed of one row of the file at that path, wherever it belongs: a line, or as many as it holds."""
    for record in _records(iter((row,)), shape):
        if not isinstance(record, bytes):
            yield _line(_landed(record, shape.redact, path))


def land_rows(rows: Iterable[Found], window: Window, redact: Redactor) -> Iterator[Page]:
    """Pages of rows that an API or a database gave for that window, in the order in which they come."""
    return _pages((_line(_landed(row, redact, "the answer")) for row in rows), window.slice_date)


def _pages(kept: Iterable[bytes], day: date) -> Iterator[Page]:
    lines, number = iter(kept), 0
    while bundle := list(islice(lines, ROWS_PER_PAGE)):
        yield Page(f"{day}/{number:05d}.jsonl", Bytes(b"".join(bundle)))
        number += 1


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _opened(
    settings: StoredRowsSettings,
    filed: Sequence[Filed],
    shape: StoredShape,
    quick_of: Callable[[date | None], Quick | None],
) -> Iterator[tuple[Filed, Iterable[Found | bytes]]]:
    """Each file with its rows, in order. Small ones are read several at a time, large ones streamed."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for first in range(0, len(filed), _READ_TOGETHER):
            together = filed[first : first + _READ_TOGETHER]
            waiting = [
                pool.submit(_read, settings, item[0]) if item[0].size <= _SMALL_BYTES else None for item in together
            ]
            for item, content in zip(together, waiting, strict=True):
                where, quick = f"{settings.location}: {item[0].path}", quick_of(item[1])
                if content is not None:
                    yield item, _records(rows_of(BytesIO(content.result()), where, shape.csv, quick), shape)
                else:
                    with content_of(settings, item[0]).open() as stream:
                        yield item, _records(rows_of(stream, where, shape.csv, quick), shape)


def _read(settings: StoredRowsSettings, stored: StoredObject) -> bytes:
    with content_of(settings, stored).open() as stream:
        return stream.read()


def _records(rows: Iterator[Found | bytes], shape: StoredShape) -> Iterable[Found | bytes]:
    inner = shape.records
    if inner is None:
        return rows
    return chain.from_iterable((row,) if isinstance(row, Unreadable | bytes) else inner(row) for row in rows)


def _landed(row: Found, redact: Redactor, path: str) -> dict[str, Any]:
    """What may be landed of a row; of an unreadable one only where it stood and how long it was."""
    if isinstance(row, Unreadable):
        mark = {"file": path, "line": row.line, "reason": row.reason, "bytes": row.size}
        return {"unreadable": {**mark, "lacks": row.lacks} if row.lacks else mark}
    try:
        return redact(row)
    except UnlandableError as refusal:
        return {"unreadable": {"file": path, "reason": refusal.reason}}


def _is_nobodys(day: date, started: date | None, filed: date | None, settings: StoredRowsSettings) -> bool:
    """Whether the window of its folder refuses a row that is not the window's own: no other one would take it."""
    if started is None:
        return filed is None or filed == day
    return filed == day and filed not in settings.reach(started)
