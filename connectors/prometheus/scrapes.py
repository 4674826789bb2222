"""Scrapes kept as files, in a folder or an object store: which belong to a day, and when they were taken.

Here belongs: finding files by their date, writing a name's instant into the page, and what the newest of them hold.
Here does not belong: lines.
"""

import gzip
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from connectors.base import Body, LandedPage, Page, SourceError, Window
from connectors.dated_files import dates_in, files_of_day
from connectors.prometheus.exposition import INSTANT_MARK, instant_of_name, metric_names
from connectors.prometheus.settings import PrometheusSettings
from connectors.storage import StoredObject, body, list_objects

MOST_OPENED = 20  # files, newest first, to find the exporter among others and among days without


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
    """The day's files, in the order of their paths.

    Raises SourceError as storage does, and when the day has files of which none fits the layout.
    """
    files = files_of_day(location, settings.store_options, settings.layout, window.slice_date)
    if not files and (others := files_of_day(location, settings.store_options, None, window.slice_date)):
        raise SourceError(_misfit(settings, location, others))
    for found in files:
        content = body(location, settings.store_options, found.path, found.etag)
        instant = instant_of_name(PurePosixPath(found.path).name)
        yield Page(found.path, content if instant is None else Stamped(content, f"{INSTANT_MARK}{instant}\n"))


def probe_files(settings: PrometheusSettings, location: str, metrics: Iterable[str], exporter: str) -> str:
    """How many files there are, from when, and what of the exporter the newest hold, in one line.

    Raises SourceError when none has a date in its path or fits the layout, and when the newest hold none of the metrics
    (names, or regular expressions).
    """
    listed = list(list_objects(location, settings.store_options))
    dates = dates_in(found.path for found in listed)
    if not dates:
        raise SourceError(
            f"{location}: {len(listed)} files, none with a date in its path. "
            "Write scrapes to folders or names with the day, such as 2026-10-01/node-1.prom.gz."
        )
    newest = (
        found
        for day in reversed(dates)
        for found in reversed(files_of_day(location, settings.store_options, settings.layout, day))
    )
    opened = list(islice(newest, MOST_OPENED))
    if not opened:
        raise SourceError(_misfit(settings, location, listed))
    names = _names(settings, location, opened, re.compile("|".join(metrics)))
    if not names:
        raise SourceError(
            f"{location}: {opened[0].path}, the newest of {len(listed)} files, holds no metric of {exporter}, nor do "
            f"the {len(opened) - 1} before it. Are these the scrapes of that exporter?"
        )
    return (
        f"{location} holds {len(listed)} files, dated {dates[0]} to {dates[-1]}, with {len(names)} metrics of "
        f"{exporter}: {', '.join(names)}"
    )


def _names(
    settings: PrometheusSettings, location: str, files: Iterable[StoredObject], wanted: re.Pattern[str]
) -> list[str]:
    """The wanted metrics of the first of the files that has any, sorted."""
    for found in files:
        page = LandedPage(found.path, "", body(location, settings.store_options, found.path, found.etag))
        if names := sorted(name for name in metric_names(page) if wanted.fullmatch(name)):
            return names
    return []


def _misfit(settings: PrometheusSettings, location: str, files: list[StoredObject]) -> str:
    return (
        f"{location}: no file fits 'layout', which is {settings.layout}; there is {files[-1].path}. Write where a "
        "day's files are below 'scrapes', or leave it out: then every file with the date in its path counts."
    )
