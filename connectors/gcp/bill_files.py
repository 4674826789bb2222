"""Finds an invoice month's exported files in a folder or an object store.

A month without any file is unknown, not zero, unless it lies before the first one that was ever exported.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath

from connectors.base import MonthFiles, Page, SourceError, Window
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.storage import StoredObject, body, list_objects
from connectors.written import written_by_month

_ENDINGS = (".parquet", ".csv", ".csv.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz")
_UNREADABLE = (".avro", ".zip", ".zst", ".parquet.gz", ".xlsx")
# month=202609, 2026-09, 202609; not a piece of a longer number, a billing account say
_MONTH = re.compile(r"(?<![0-9A-Fa-f])(20\d\d)-?(0[1-9]|1[0-2])(?![0-9A-Fa-f])(?:-[0-3]\d)?")


def fetch_files(settings: GcpBillSettings, window: Window) -> Iterator[Page]:
    """The files of the window's invoice month, in the order of their paths.

    Raises SourceError when the location cannot be read, or holds nothing for a month that is not before its first.
    """
    files = _exported(settings)
    chosen = [o for o in files if settings.layout == "any" or month_of(o.path) == window.slice_date]
    if not chosen:
        _require_before_first(settings, files, window)
        return
    _require_readable(settings, chosen)
    for found in chosen:
        yield _page(settings, found)


def probe_files(settings: GcpBillSettings) -> tuple[str, date | None, Page]:
    """How many files of which invoice months there are, in one line; the newest month, and the last file of it.

    The month is None where paths do not tell it: the file is then the one that was written last, by its path where
    nothing says so. Raises SourceError when there are no files.
    """
    files = _exported(settings)
    if settings.layout == "any" and files:
        _require_readable(settings, files)
        times = [o.modified for o in files]
        newest = files[-1] if None in times else max(files, key=lambda o: (str(o.modified), o.path))
        return f"{settings.location}: {len(files)} exported files", None, _page(settings, newest)
    dated = sorted((month, o) for o in files if (month := month_of(o.path)))
    if not dated:
        raise SourceError(_nothing(settings, "any month", len(files)))
    first, (last, newest) = dated[0][0], dated[-1]
    told = f"{settings.location}: {len(files)} exported files, {first:%Y-%m} to {last:%Y-%m}"
    return told, last, _page(settings, newest)


def _page(settings: GcpBillSettings, found: StoredObject) -> Page:
    return Page(found.path, body(_place(settings), settings.store_options, found.path, found.etag))


def months_written(settings: GcpBillSettings) -> Mapping[date, MonthFiles]:
    """The files of each month, and when the last of them was written; nothing where paths do not tell months."""
    return {} if settings.layout == "any" else written_by_month(_exported(settings), month_of)


def month_of(path: str) -> date | None:
    """First day of the invoice month that the path names first; None where it names none."""
    found = _MONTH.search(path)
    return date(int(found[1]), int(found[2]), 1) if found else None


def _place(settings: GcpBillSettings) -> str:
    if settings.location is None:
        raise SourceError("this source reads a table: it has no 'location'")
    return settings.location


def _exported(settings: GcpBillSettings) -> list[StoredObject]:
    """Files by their ending, markers such as `_SUCCESS` and hidden files aside."""
    found = list_objects(_place(settings), settings.store_options)
    return [o for o in found if _is_exported(PurePosixPath(o.path).name.lower())]


def _is_exported(name: str) -> bool:
    return name.endswith(_ENDINGS + _UNREADABLE) and not name.startswith(("_", "."))


def _require_readable(settings: GcpBillSettings, files: Sequence[StoredObject]) -> None:
    paths = {o.path for o in files}
    for path in sorted(paths):
        if path.lower().endswith(_UNREADABLE):
            raise SourceError(
                f"{settings.location}: {path} is none of {', '.join(_ENDINGS)}; export the month in one of these "
                "formats (EXPORT DATA with format='PARQUET'), or move the file away if it is no bill"
            )
        if f"{path}.gz" in paths:
            raise SourceError(f"{path} lies beside {path}.gz: the bill would be counted twice; remove one of them")


def _require_before_first(settings: GcpBillSettings, files: Sequence[StoredObject], window: Window) -> None:
    months = [month for o in files if settings.layout == "month" and (month := month_of(o.path))]
    if not months or window.slice_date > min(months):
        raise SourceError(_nothing(settings, f"{window.slice_date:%Y-%m}", len(files)))


def _nothing(settings: GcpBillSettings, wanted: str, count: int) -> str:
    return (
        f"{settings.location}: no file for {wanted} (it holds {count} exported files). Nothing is known of it, which "
        "is not zero: run the export, or check 'location' and 'layout'"
    )
