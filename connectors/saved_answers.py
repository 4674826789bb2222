"""Answers of a provider's API that somebody else's job saved: one file for a page, by window and endpoint.

`<location>/<window>/<endpoint>/page-<N>.json`: the window is `2026-09` for a month and `2026-09-03` for a day, the
endpoint is the part of the address that its source names, pages count from 1 without a gap. The bytes are the answers'.

Here belongs: finding the pages of a window, and noticing that some are missing. Here does not belong: what they say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath

from connectors.base import IncompleteDeliveryError, Page, SourceError, Window
from connectors.storage import StoredObject, body, list_objects

_DAY, _MONTH = r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d"
_PAGE = re.compile(r"page-(\d{1,9})\.json")


def saved_pages(
    location: str,
    options: Mapping[str, str],
    window: Window,
    endpoints: Sequence[str],
    optional: Sequence[str] = (),
) -> Iterator[Page]:
    """The window's pages, endpoint by endpoint, in the order of their numbers; none before the first window saved.

    Args:
        location: Folder or object store location.
        options: The store's own options.
        window: A day or a calendar month.
        endpoints: Folders that every window has, in the order of the pages.
        optional: Folders that a window may have besides.

    Raises:
        IncompleteDeliveryError: An endpoint has no page, or its pages have a gap.
        SourceError: The location cannot be read, or holds nothing for a window that is not its first.
    """
    found = {name: _numbered(location, options, f"{window_name(window)}/{name}") for name in (*endpoints, *optional)}
    if not any(found.values()):
        _require_before_first(location, options, window, endpoints)
        return
    if missing := [name for name in endpoints if not found[name]]:
        raise IncompleteDeliveryError(
            f"{location}: {window_name(window)} has no page of {', '.join(missing)}, and has others; "
            "the download may still be under way: run the day again, or download the window again"
        )
    for stored in (page for pages in found.values() for page in pages):
        yield Page(stored.path, body(location, options, stored.path, stored.etag))


def probe_saved(location: str, options: Mapping[str, str], endpoints: Sequence[str], *, monthly: bool) -> str:
    """Which windows the location holds, in one line. Raises SourceError when it holds none."""
    names = saved_windows(location, options, endpoints, monthly=monthly)
    if not names:
        raise SourceError(_nothing(location, "2026-09" if monthly else "2026-09-03", endpoints))
    return f"{location}: answers of {len(names)} {'months' if monthly else 'days'}, {names[0]} to {names[-1]}"


def saved_windows(location: str, options: Mapping[str, str], endpoints: Sequence[str], *, monthly: bool) -> list[str]:
    """The names of the windows that have a page of one of the endpoints, oldest first."""
    name, folders = (_MONTH if monthly else _DAY), "|".join(map(re.escape, endpoints))
    shape = re.compile(f"({name})/(?:{folders})/{_PAGE.pattern}")
    return sorted({named[1] for stored in list_objects(location, options) if (named := shape.fullmatch(stored.path))})


def window_name(window: Window) -> str:
    """The folder of a window: `2026-09-03` for a day, `2026-09` for a month."""
    return f"{window.slice_date:%Y-%m-%d}" if _is_day(window) else f"{window.slice_date:%Y-%m}"


def _is_day(window: Window) -> bool:
    return window.end - window.start <= timedelta(days=1)


def _numbered(location: str, options: Mapping[str, str], folder: str) -> list[StoredObject]:
    """The pages that lie in the folder itself, first to last."""
    pages: dict[int, StoredObject] = {}
    for stored in list_objects(location, options, folder):
        path = PurePosixPath(stored.path)
        if str(path.parent) != folder or path.name.startswith((".", "_")):
            continue
        number = _PAGE.fullmatch(path.name)
        if number is None:
            raise SourceError(f"{location}: {stored.path} is no page; expected names such as page-1.json")
        if int(number[1]) in pages:
            raise IncompleteDeliveryError(
                f"{location}: {pages[int(number[1])].path} and {stored.path} are the same page; "
                "one is the remains of an earlier download: delete the folder and download the window again"
            )
        pages[int(number[1])] = stored
    if missing := sorted(set(range(1, len(pages) + 1)) - set(pages)):
        raise IncompleteDeliveryError(
            f"{location}: {folder} has page-{max(pages)}.json and no page-{missing[0]}.json; pages count from 1 "
            "without a gap: download the window again"
        )
    return [pages[number] for number in sorted(pages)]


def _require_before_first(location: str, options: Mapping[str, str], window: Window, endpoints: Sequence[str]) -> None:
    """A window without answers is unknown, not zero, unless it lies before all that was ever saved."""
    names = saved_windows(location, options, endpoints, monthly=not _is_day(window))
    if not names or names[0] < window_name(window):
        raise SourceError(_nothing(location, window_name(window), endpoints))


def _nothing(location: str, name: str, endpoints: Sequence[str]) -> str:
    return (
        f"{location}: there is no saved answer for {name}; expected {name}/{endpoints[0]}/page-1.json. "
        "Nothing is known of it, which is not zero: run the download again"
    )
