"""Pages of one day: every row that started on it, through the allow-list, bundled and in one fixed order.

A gateway files a row by its own clock, or by when it wrote it: the day's rows also lie under neighbouring days.
Rows of other days are left to their own windows; a row that no window would reach is landed here, to be refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO
from itertools import chain, islice
from typing import Any

import orjson

from connectors.base import Bytes, Page, Window
from connectors.litellm.allow_list import Redactor, format_of, redactors
from connectors.litellm.files import content_of, files_of_days
from connectors.logs.instants import day_of, microseconds
from connectors.litellm.rows import Found, Unreadable, rows_of
from connectors.litellm.settings import LiteLlmSettings
from connectors.storage import StoredObject

ROWS_PER_PAGE = 10_000
_SMALL_BYTES = 1024 * 1024
_READ_TOGETHER = 64  # small objects in flight: the S3 logger writes one for every request
_THREADS = 16

Filed = tuple[StoredObject, date | None]


def fetch_pages(settings: LiteLlmSettings, window: Window) -> Iterator[Page]:
    """The window's pages: canonical JSON lines of at most `ROWS_PER_PAGE` rows, the same for the same objects.

    No page means that the location was read and holds nothing for the window.
    """
    day = window.slice_date
    redact = redactors(settings)
    lines = chain.from_iterable(
        _landed_lines(settings, redact, rows, stored.path, filed, day)
        for (stored, filed), rows in _opened(settings, files_of_days(settings, settings.reach(day)))
    )
    number = 0
    while bundle := list(islice(lines, ROWS_PER_PAGE)):
        yield Page(f"{day}/{number:05d}.jsonl", Bytes(b"".join(bundle)))
        number += 1


def _opened(settings: LiteLlmSettings, filed: list[Filed]) -> Iterator[tuple[Filed, Iterator[Found]]]:
    """Each file with its rows, in order. Small ones are read several at a time, large ones streamed."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for first in range(0, len(filed), _READ_TOGETHER):
            together = filed[first : first + _READ_TOGETHER]
            waiting = [
                pool.submit(_read, settings, item[0]) if item[0].size <= _SMALL_BYTES else None for item in together
            ]
            for item, content in zip(together, waiting, strict=True):
                where = f"{settings.location}: {item[0].path}"
                if content is not None:
                    yield item, rows_of(BytesIO(content.result()), where)
                else:
                    with content_of(settings, item[0]).open() as stream:
                        yield item, rows_of(stream, where)


def _read(settings: LiteLlmSettings, stored: StoredObject) -> bytes:
    with content_of(settings, stored).open() as stream:
        return stream.read()


def _landed_lines(
    settings: LiteLlmSettings,
    redact: Mapping[str, Redactor],
    rows: Iterable[Found],
    path: str,
    filed: date | None,
    day: date,
) -> Iterator[bytes]:
    for row in rows:
        # asked before the allow-list runs: of a neighbouring day's folder most rows are another window's
        started = None if isinstance(row, Unreadable) else microseconds(row.get("startTime"))
        if _belongs(day, None if started is None else day_of(started), filed, settings):
            kept = _kept(row, redact, settings.format, path)
            yield orjson.dumps(kept, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _kept(row: Found, redact: Mapping[str, Redactor], expected: str, path: str) -> dict[str, Any]:
    """What may be landed of a row; of an unreadable one only where it stood and how long it was."""
    if isinstance(row, Unreadable):
        return {"unreadable": {"file": path, "line": row.line, "reason": row.reason, "bytes": row.size}}
    found = format_of(row)
    if found is None or expected not in ("auto", found):
        reason = "unknown_format" if found is None else "other_format"
        return {"unreadable": {"file": path, "line": 0, "reason": reason, "bytes": 0}}
    return redact[found](row)


def _belongs(day: date, started: date | None, filed: date | None, settings: LiteLlmSettings) -> bool:
    """Whether a row is the window's own, or one that no window would take and the window of its folder refuses."""
    if started == day:
        return True
    if started is None:
        return filed is None or filed == day
    return filed == day and filed not in settings.reach(started)
