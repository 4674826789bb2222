"""Finds the files of a month in a folder or an object store.

A manifest, where there is one, decides which files belong to the month; files that it does not name are the remains
of an earlier delivery. A month without any file is unknown, not zero, unless it lies before the first one delivered.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath

from connectors.base import Body, IncompleteDeliveryError, MonthFiles, Page, SourceError, Window
from connectors.focus.manifest import Manifest, is_manifest_path, read_manifest
from connectors.focus.months import month_of
from connectors.focus.settings import ANY_LAYOUT, BillSettings
from connectors.storage import StoredObject, body, list_objects, refuse_packed_twins
from connectors.written import written_by_month

_BILL_ENDINGS = (".csv", ".csv.gz", ".parquet", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_UNREADABLE_ENDINGS = (
    ".zip",
    ".zst",
    ".bz2",
    ".xz",
    ".xlsx",
    ".orc",
    ".avro",
    ".tsv",
    ".parquet.gz",
)


def fetch_month(settings: BillSettings, window: Window) -> Iterator[Page]:
    """The manifests and the files of the window's month, in the order of their paths.

    Raises IncompleteDeliveryError when a manifest names a file that is not there, SourceError when the location cannot
    be read, holds no file for the month, or holds the month twice.
    """
    objects = _relevant(list_objects(settings.location, settings.store_options))
    chosen = [o for o in objects if _belongs(o.path, settings, window)]
    if not chosen:
        _require_earlier_than_history(objects, settings, window)
        return
    manifests = {o: read_manifest(o.path, _body(settings, o)) for o in chosen if is_manifest_path(o.path)}
    if settings.manifests == "last" and manifests:
        manifests = _last(manifests)
    files = _delivered(settings, [o for o in chosen if not is_manifest_path(o.path)], manifests)
    for found in sorted([*manifests, *files]):
        yield Page(found.path, _body(settings, found))


def probe_location(settings: BillSettings) -> str:
    """One line: how many bill files there are, and of which months. Raises SourceError when there are none."""
    found = _relevant(list_objects(settings.location, settings.store_options))
    objects = [o for o in found if not is_manifest_path(o.path)]
    if settings.layout == ANY_LAYOUT and objects:
        return f"{settings.location}: {len(objects)} bill files"
    months = sorted(m for o in objects if (m := month_of(o.path, settings)))
    if not months:
        raise SourceError(_nothing_text(settings, "any month", objects))
    return f"{settings.location}: {len(months)} bill files, {months[0]:%Y-%m} to {months[-1]:%Y-%m}"


def latest_file(settings: BillSettings) -> Page | None:
    """The last file of the latest month, for a look; None where the location holds no bill."""
    files = [o for o in _relevant(list_objects(settings.location, settings.store_options)) if _is_bill(o.path)]
    if not files:
        return None
    latest = max(files, key=lambda o: (month_of(o.path, settings) or date.min, o.path))
    return Page(latest.path, _body(settings, latest))


def months_written(settings: BillSettings) -> Mapping[date, MonthFiles]:
    """The files of each month, and when the last of them was written; nothing where paths do not tell months."""
    if settings.layout == ANY_LAYOUT:
        return {}
    objects = _relevant(list_objects(settings.location, settings.store_options))
    return written_by_month(objects, lambda path: month_of(path, settings))


def _is_bill(path: str) -> bool:
    return path.lower().endswith(_BILL_ENDINGS) and not is_manifest_path(path)


def _body(settings: BillSettings, found: StoredObject) -> Body:
    return body(settings.location, settings.store_options, found.path, found.etag)


def _relevant(objects: Sequence[StoredObject]) -> list[StoredObject]:
    """Bills and manifests. Markers such as `_SUCCESS` and hidden files are nobody's bill."""
    return [o for o in objects if _is_relevant(PurePosixPath(o.path).name.lower())]


def _is_relevant(name: str) -> bool:
    if is_manifest_path(name):
        return not name.startswith(".")
    return name.endswith(_BILL_ENDINGS + _UNREADABLE_ENDINGS) and not name.startswith(("_", "."))


def _last(manifests: Mapping[StoredObject, Manifest]) -> dict[StoredObject, Manifest]:
    """The manifest of the delivery that was submitted last, where all say when; else the one of the last path.

    The folders of Azure's runs are named at random: their order says nothing.
    """
    submitted = {found: manifest.submitted for found, manifest in manifests.items() if manifest.submitted is not None}
    last = max(submitted, key=lambda o: (submitted[o], o)) if len(submitted) == len(manifests) else max(manifests)
    return {last: manifests[last]}


def _belongs(path: str, settings: BillSettings, window: Window) -> bool:
    return settings.layout == ANY_LAYOUT or month_of(path, settings) == window.slice_date


def _delivered(
    settings: BillSettings, files: Sequence[StoredObject], manifests: dict[StoredObject, Manifest]
) -> list[StoredObject]:
    named = [_named(found, manifest, files) for found, manifest in manifests.items() if manifest.files is not None]
    complete = len(named) == len(manifests) > 0
    delivered = sorted({found for group in named for found in group}) if complete else list(files)
    _refuse_unreadable(settings, delivered)
    refuse_packed_twins(delivered)
    _refuse_second_delivery(named)
    return delivered


def _named(manifest_object: StoredObject, manifest: Manifest, files: Sequence[StoredObject]) -> list[StoredObject]:
    by_path = {o.path: o for o in files}
    found = {name: _find(name, manifest_object.path, by_path) for name in manifest.files or ()}
    if missing := [name for name, path in found.items() if path is None]:
        raise IncompleteDeliveryError(
            f"{manifest_object.path} names {len(found)} files; {len(missing)} are not there: {', '.join(missing[:5])}; "
            "the delivery may still be under way: run the day again, or have the provider export the month again"
        )
    return [by_path[path] for path in found.values() if path is not None]


def _find(name: str, manifest_path: str, by_path: dict[str, StoredObject]) -> str | None:
    """The path of a named file: beside the manifest, or any path that is the end of the name, or begins before it."""
    beside = str(PurePosixPath(manifest_path).parent / name)
    if beside in by_path:
        return beside
    ends = [path for path in by_path if name == path or name.endswith(f"/{path}") or path.endswith(f"/{name}")]
    return ends[0] if len(ends) == 1 else None


def _refuse_unreadable(settings: BillSettings, files: Sequence[StoredObject]) -> None:
    for found in files:
        if found.path.lower().endswith(_UNREADABLE_ENDINGS):
            raise SourceError(
                f"{settings.location}: {found.path} is none of {', '.join(_BILL_ENDINGS)}; have the bill exported in "
                "one of these formats, or move the file away if it is no bill"
            )


def _refuse_second_delivery(named: Sequence[Sequence[StoredObject]]) -> None:
    seen = dict[str, str]()
    for path in sorted({found.path for group in named for found in group}):
        name = PurePosixPath(path).name
        if name in seen and len(named) > 1:
            raise SourceError(
                f"two manifests of the month name {seen[name]} and {path}: this looks like the month delivered twice; "
                "set `manifests: last` if every delivery has a folder of its own, or remove the older one"
            )
        seen[name] = path


def _require_earlier_than_history(objects: Sequence[StoredObject], settings: BillSettings, window: Window) -> None:
    """Before the first month that was ever delivered there is nothing; any other month without files is unknown."""
    months = sorted(m for o in objects if settings.layout != ANY_LAYOUT and (m := month_of(o.path, settings)))
    if not months or window.slice_date > months[0]:
        raise SourceError(_nothing_text(settings, f"{window.slice_date:%Y-%m}", objects, months))


def _nothing_text(
    settings: BillSettings, wanted: str, objects: Sequence[StoredObject], months: Sequence[date] = ()
) -> str:
    held = (
        f"its months are {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else f"it holds {len(objects)} bill files"
    )
    return (
        f"{settings.location}: no file for {wanted} ({held}); the provider may not have delivered it yet, or the "
        "settings `location` and `layout` do not fit the paths"
    )
