"""Scrapes kept as files, in a folder or an object store: which belong to a day, and when they were taken.

Here belongs: finding files by their date, and writing a name's instant into the page. Here does not belong: lines.
"""

import gzip
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from connectors.base import Body, Page, SourceError, Window
from connectors.dated_files import dates_in, files_of_day
from connectors.prometheus.exposition import INSTANT_MARK, instant_of_name
from connectors.prometheus.settings import PrometheusSettings
from connectors.storage import body, list_objects


@dataclass(frozen=True)
class Stamped:
    """A file that begins with a line saying when it was taken.

    Landing knows content, not names: two scrapes that say the same to the letter at two instants are two pages only
    if the instant is part of them. A compressed file gets a compressed line: gzip files may be put end to end.
    """

    content: Body
    line: str

    def open(self) -> AbstractContextManager[BinaryIO]:
        """A fresh stream: the line, then the file."""
        with self.content.open() as stream:
            rest = stream.read()
        line = self.line.encode()
        start = gzip.compress(line, mtime=0) if rest.startswith(b"\x1f\x8b") else line
        return cast("AbstractContextManager[BinaryIO]", io.BytesIO(start + rest if rest else b""))


def fetch_scrapes(settings: PrometheusSettings, location: str, window: Window) -> Iterator[Page]:
    """The day's files, in the order of their paths. Raises SourceError as storage does."""
    for found in files_of_day(location, settings.store_options, settings.layout, window.slice_date):
        content = body(location, settings.store_options, found.path, found.etag)
        instant = instant_of_name(PurePosixPath(found.path).name)
        yield Page(found.path, content if instant is None else Stamped(content, f"{INSTANT_MARK}{instant}\n"))


def probe_files(settings: PrometheusSettings, location: str) -> str:
    """How many files there are and from when, in one line. Raises SourceError when none has a date in its path."""
    files = [found.path for found in list_objects(location, settings.store_options)]
    dates = dates_in(files)
    if not dates:
        raise SourceError(
            f"{location}: {len(files)} files, none with a date in its path. "
            "Write scrapes to folders or names with the day, such as 2026-10-01/node-1.prom.gz."
        )
    return f"{location} holds {len(files)} files, dated {dates[0]} to {dates[-1]}"
