"""Which stored objects may hold rows of a day, by the layout that the settings give."""

from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase

from connectors.base import Body
from connectors.logs.settings import StoredRowsSettings
from connectors.storage import StoredObject, body, list_objects


def files_of_days(settings: StoredRowsSettings, days: Sequence[date]) -> list[tuple[StoredObject, date | None]]:
    """Every object filed under one of the days, in the order of their paths, with the day it is filed under.

    The day is None where the layout has no date. Only the day's own folder is listed where the layout begins with
    one; otherwise the whole location is listed, once. Raises SourceError when the location cannot be listed.
    """
    if not settings.is_dated:
        return [(found, None) for found in _listed(settings, "") if fnmatchcase(found.path, settings.layout)]
    filed: dict[str, tuple[StoredObject, date | None]] = {}
    whole: list[StoredObject] | None = None
    for day in days:
        pattern = settings.pattern_of(day)
        folder = _fixed_folder(pattern)
        if folder:
            listed = _listed(settings, folder)
        else:
            listed = whole = _listed(settings, "") if whole is None else whole
        for found in listed:
            if fnmatchcase(found.path, pattern):
                filed.setdefault(found.path, (found, day))
    return [filed[path] for path in sorted(filed)]


def is_filed_within(settings: StoredRowsSettings, path: str, day: date) -> bool:
    """Whether a row that started on the day, in the file at that path, is read for the day; else it is refused."""
    if not settings.is_dated:
        return True
    return any(fnmatchcase(path, settings.pattern_of(filed)) for filed in settings.reach(day))


def first_listed(settings: StoredRowsSettings, pattern: str, most: int) -> list[StoredObject]:
    """Some objects below the folder with which the pattern begins; for a look, not for a night."""
    return _listed(settings, _fixed_folder(pattern), most)


def content_of(settings: StoredRowsSettings, stored: StoredObject) -> Body:
    """The object's bytes; one that was replaced since it was listed is refused when opened."""
    return body(settings.location, settings.store_options, stored.path, stored.etag)


def _fixed_folder(pattern: str) -> str:
    """The folders at the front of the pattern that hold no wildcard."""
    folders = pattern.split("/")[:-1]
    fixed = next((n for n, folder in enumerate(folders) if any(sign in folder for sign in "*?[")), len(folders))
    return "/".join(folders[:fixed])


def _listed(settings: StoredRowsSettings, folder: str, most: int | None = None) -> list[StoredObject]:
    found = list_objects(settings.location, settings.store_options, folder, most)
    return [stored for stored in found if not fnmatchcase(stored.path, settings.leaves_out)]
