"""Files that are kept by day, in a folder or an object store: which of them belong to a day.

Here belongs: dates in paths, and the layout that settings may give. Here does not belong: what the files hold.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator

from connectors.storage import StoredObject, list_objects

_ANY_DATE = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)")


def _dated(layout: str) -> str:
    if "{date}" not in layout and "{yyyymmdd}" not in layout:
        raise ValueError("must hold {date} (2026-10-01) or {yyyymmdd} (20261001): a day's files are found by it")
    return layout


DatedLayout = Annotated[str, AfterValidator(_dated)]
"""Where a day's files are below a location: a path with `{date}` or `{yyyymmdd}`; `*` stands for anything."""


def files_of_day(location: str, options: Mapping[str, str], layout: str | None, day: date) -> list[StoredObject]:
    """The day's files, in the order of their paths; without a layout, every file that has the date in its path.

    Raises SourceError as storage does.
    """
    dashed, compact = day.isoformat(), day.strftime("%Y%m%d")
    if layout is not None:
        pattern = layout.replace("{date}", dashed).replace("{yyyymmdd}", compact)
        folder = "/".join(pattern.split("/")[:-1])
        prefix = "" if re.search(r"[*?\[]", folder) else folder
        return [found for found in list_objects(location, options, prefix) if fnmatchcase(found.path, pattern)]
    dated = re.compile(rf"(?<!\d)(?:{dashed}|{compact})(?!\d)")
    return [found for found in list_objects(location, options) if dated.search(found.path)]


def dates_in(paths: Iterable[str]) -> list[date]:
    """Every date that one of the paths holds, oldest first, each once."""
    found = set[date]()
    for path in paths:
        for match in _ANY_DATE.finditer(path):
            try:
                found.add(date(*map(int, match.groups())))
            except ValueError:
                continue
    return sorted(found)
