"""Pages of a day, and a little of its neighbours: what a counter rose by over midnight lies between two days' samples.

A scrape kept as a file does not say which engine it was taken of, unless its path does: that is written into the page
as its first line, since landing knows content and not names.
"""

import gzip
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import BinaryIO

from connectors.base import LandedPage, Page, Window
from connectors.fields import printable
from connectors.http import Pace
from connectors.prometheus import fetch_pages, matching
from connectors.prometheus.exposition import instant_of_name
from connectors.prometheus.scrapes import Stamped
from connectors.serving.metrics import STARTED, name_patterns
from connectors.serving.settings import REACH, ServingSettings

_TARGET_MARK = "# scraped from "
_DAY = timedelta(days=1)
_LONGEST_RECENT = 300


def queries(settings: ServingSettings) -> dict[str, str]:
    """The queries by name: the engines' metrics, and when their processes started (every process tells that).

    The last sample of two steps: a plain query would repeat a vanished engine's for five minutes.
    """
    recent = f"[{min(2 * settings.step_seconds, _LONGEST_RECENT)}s])"
    engines = f"last_over_time({matching(settings, name_patterns(settings.engines))}{recent}"
    starts = f"last_over_time({matching(settings, [STARTED.name])}{recent}"
    return {"engines": engines, "starts": f"{starts} and on (instance) {engines}"}


def fetch(settings: ServingSettings, window: Window, pace: Pace) -> Iterator[Page]:
    """The window's pages, with an hour before it and an hour after.

    Raises SourceError (or a subclass) when what the window holds cannot be known.
    """
    wide = Window(window.start - REACH, window.end + REACH)
    if settings.scrapes is None:
        yield from fetch_pages(settings, wide, queries(settings), pace)
        return
    seen = set[str]()
    for day in (window, Window(window.start - _DAY, window.start), Window(window.end, window.end + _DAY)):
        for page in fetch_pages(settings, day, {}, pace):
            if page.name not in seen and (day == window or _may_reach(page.name, wide)):
                seen.add(page.name)
                yield Page(page.name, Stamped(page.body, f"{_TARGET_MARK}{_target(page.name, settings)}\n"))


def target_of(page: LandedPage) -> str:
    """The engine that the page's first line names; empty where it names none."""
    with page.body.open() as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    with page.body.open() as stream:
        line = _first_line(stream, is_packed=is_packed)
    return line.removeprefix(_TARGET_MARK).strip() if line.startswith(_TARGET_MARK) else ""


def _first_line(stream: BinaryIO, *, is_packed: bool) -> str:
    try:
        plain = gzip.GzipFile(fileobj=stream) if is_packed else stream
        return plain.readline(1024).decode("utf-8", "replace")
    except (OSError, EOFError):
        return ""  # who reads the whole page says what is wrong with it


def _target(path: str, settings: ServingSettings) -> str:
    """What the pattern finds in the path; in that of the nearest folder where a file's name is an instant alone."""
    given = PurePosixPath(path)
    folders = [str(folder) for folder in given.parents if folder.name]
    matches = (re.search(settings.target_pattern, place) for place in (path, *folders))
    return printable(next((found[1] for found in matches if found and found[1]), ""))


def _may_reach(path: str, wide: Window) -> bool:
    """Whether a neighbouring day's file may hold samples next to midnight: a name with an instant tells."""
    instant = instant_of_name(PurePosixPath(path).name)
    return instant is None or wide.start <= datetime.fromisoformat(instant).replace(tzinfo=None) < wide.end
