"""Fetches the files of one month of an export, all of one execution.

AWS overwrites files while it writes a new execution, and its manifest last. So no file may be newer than the manifest,
every object is pinned to the content that the listing saw, and after the last one the manifest is read again. It is
the last page: what parsing sees is what decided.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from connectors.aws.bill_choice import Choice, choose
from connectors.aws.bill_layout import is_bill, is_manifest, month_of
from connectors.aws.bill_manifest import read_manifest
from connectors.aws.bill_settings import AwsBillSettings
from connectors.base import Bytes, IncompleteDeliveryError, MonthFiles, Page, SourceError, Window
from connectors.storage import StoredObject, body, list_objects
from connectors.storage_open import is_folder
from connectors.written import written_by_month

TRIES = 3


def fetch_export(settings: AwsBillSettings, window: Window) -> Iterator[Page]:
    """The month's files in the order of their paths, then the manifest that named them.

    Raises IncompleteDeliveryError when a named file is not there or the export was being written meanwhile, and
    SourceError when the location cannot be read, holds nothing of the month, or holds more than one delivery of it.
    """
    choice = _settled(settings, window)
    if choice is None:
        return
    for found in choice.files:
        yield Page(found.path, body(settings.location, settings.store_options, found.path, found.etag))
    if _choice(settings, window) != choice:
        raise _being_written(settings, window)
    if choice.manifest_path is not None and choice.manifest is not None:
        yield Page(choice.manifest_path, Bytes(choice.manifest.content))


def probe_export(settings: AwsBillSettings) -> tuple[str, date, Page]:
    """One line: how many files there are, and of which months; the newest month, and the last file of it.

    Raises SourceError when there are none.
    """
    files = [found for found in list_objects(settings.location, settings.store_options) if is_bill(found.path)]
    dated = sorted((month, found) for found in files if (month := month_of(found.path)))
    if not dated:
        raise SourceError(
            f"{settings.location}: it holds {len(files)} bill files, none below a month; `location` has to be the "
            "export's own folder, with data/BILLING_PERIOD=YYYY-MM or YYYYMMDD-YYYYMMDD below it"
        )
    first, (last, newest) = dated[0][0], dated[-1]
    page = Page(newest.path, body(settings.location, settings.store_options, newest.path, newest.etag))
    return f"{settings.location}: {len(dated)} bill files, {first:%Y-%m} to {last:%Y-%m}", last, page


def months_written(settings: AwsBillSettings) -> Mapping[date, MonthFiles]:
    """The files of each month, and when the last of them was written."""
    files = list_objects(settings.location, settings.store_options)
    return written_by_month((o for o in files if is_bill(o.path) or is_manifest(o.path)), month_of)


def _settled(settings: AwsBillSettings, window: Window) -> Choice | None:
    """The choice that two looks in a row agree upon; None where there is nothing yet."""
    choice = _choice(settings, window)
    if choice is None:
        return None
    for _ in range(TRIES - 1):
        again = _choice(settings, window)
        if again is not None and again == choice and not _has_newer_file(settings, again):
            return again
        choice = again
    raise _being_written(settings, window)


def _has_newer_file(settings: AwsBillSettings, choice: Choice) -> bool:
    """Whether a file came after its manifest: it belongs to an execution that is not complete.

    A folder's times are those of whoever copied the files there, and tell nothing.
    """
    if choice.manifest_time is None or is_folder(settings.location):
        return False
    return any(found.modified is not None and found.modified > choice.manifest_time for found in choice.files)


def _being_written(settings: AwsBillSettings, window: Window) -> IncompleteDeliveryError:
    return IncompleteDeliveryError(
        f"{settings.location}: files of {window.start:%Y-%m} are newer than their manifest, or changed while they were "
        "read: a new execution is being written; run the month again in some minutes (a copied bucket: copy the "
        "manifest last)"
    )


def _choice(settings: AwsBillSettings, window: Window) -> Choice | None:
    month = _month(settings, window)
    if not month:
        return None
    manifests = {
        found: read_manifest(found.path, body(settings.location, settings.store_options, found.path))
        for found in month
        if is_manifest(found.path)
    }
    files = [found for found in month if is_bill(found.path)]
    return choose(f"{settings.location}, {window.start:%Y-%m}", files, manifests)


def _month(settings: AwsBillSettings, window: Window) -> list[StoredObject]:
    """The month's manifests and files. A month without any is unknown, not zero, unless it lies before the first."""
    objects = list_objects(settings.location, settings.store_options)
    known = [found for found in objects if is_manifest(found.path) or is_bill(found.path)]
    month = [found for found in known if month_of(found.path) == window.slice_date]
    months = sorted({m for found in known if (m := month_of(found.path))})
    if month or (months and window.slice_date < months[0]):
        return month
    held = f"its months are {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "it holds no month"
    raise SourceError(
        f"{settings.location}: no manifest and no file for {window.start:%Y-%m} ({held}); AWS may not have delivered "
        "it yet, or `location` is not the export's own folder"
    )
