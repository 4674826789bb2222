"""Finds the files of a month that Cost Management exported into a container or a folder.

`<location>/<export>/<first day>-<last day>/[<hour of the run>/]<run>/` holds a run's blobs and, written last, its
`manifest.json`. Of several runs the newest counts: each holds the month as a whole. A run's folder is named at random
and says nothing of its age.

Here belongs: which month, which run, whether it is whole. Here does not belong: what the files say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import cast

from connectors.azure.bill_settings import AzureBillSettings, View
from connectors.azure.manifests import Blob, Manifest, read_manifest
from connectors.base import Body, IncompleteDeliveryError, MonthFiles, Page, SourceError, Window
from connectors.exact import read_time
from connectors.storage import StoredObject, body, list_objects
from connectors.windows import month_window
from connectors.written import written_by_month

_RANGE = re.compile(r"(20\d{6})-(20\d{6})")
_HOUR = re.compile(r"20\d{10}")
_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class _Run:
    """A run that wrote its manifest: `found` is that object."""

    found: StoredObject
    manifest: Manifest

    @property
    def ages(self) -> tuple[datetime | None, str | None, datetime | None]:
        """How old it is, the surest word first: when it was submitted, its hour's folder, when its manifest lay there.

        None where nothing says so.
        """
        hours = [part for part in PurePosixPath(self.found.path).parts if _HOUR.fullmatch(part)]
        submitted = read_time(self.manifest.submitted) if self.manifest.submitted else None
        return submitted, hours[-1] if hours else None, self.found.modified


def fetch_exports(settings: AzureBillSettings, window: Window) -> Iterator[Page]:
    """The newest run of each export for the month: its blobs, then its manifest. Names begin with the view, `actual:`.

    Raises IncompleteDeliveryError for a run whose blobs are missing or of another size, SourceError when the location
    cannot be read, or holds nothing of the month and it is not older than all that was exported.
    """
    runs = {view: _newest_run(settings, view, name, window) for view, name in settings.exports.items()}
    found = {view: run for view, run in runs.items() if run is not None}
    if missing := [name for view, name in settings.exports.items() if found and view not in found]:
        raise IncompleteDeliveryError(
            f"{settings.location}: {missing[0]} holds nothing of {window.slice_date:%Y-%m}, and the other export does; "
            "only both together say what was billed and what it is worth: run the missing month's export"
        )
    for view, run in found.items():
        objects = {o.path: o for o in _objects(settings, str(PurePosixPath(run.found.path).parent))}
        for blob in run.manifest.blobs:
            stored = _stored(run, blob, objects)
            yield Page(f"{view}:{stored.path}", _body(settings, stored))
        yield Page(f"{view}:{run.found.path}", _body(settings, run.found))


def probe_exports(settings: AzureBillSettings) -> tuple[str, list[tuple[date, View, Page]]]:
    """One line: the months of each export; and of each the first blob of the newest month's run, with its view.

    Raises SourceError when one of them has no month, or its newest no run that counts.
    """
    found, newest = list[str](), list[tuple[date, View, Page]]()
    for view, name in settings.exports.items():
        months = sorted(_months(settings, name))
        if not months:
            raise SourceError(_nothing(settings, name, None, months))
        found.append(f"{name}: {len(months)} months, {months[0]:%Y-%m} to {months[-1]:%Y-%m}")
        run = _newest_run(settings, view, name, month_window(months[-1]))
        if run is not None and run.manifest.blobs:
            objects = {o.path: o for o in _objects(settings, str(PurePosixPath(run.found.path).parent))}
            stored = _stored(run, run.manifest.blobs[0], objects)
            newest.append((months[-1], view, Page(f"{view}:{stored.path}", _body(settings, stored))))
    return f"{settings.location}: {'; '.join(found)}", newest


def months_written(settings: AzureBillSettings) -> Mapping[date, MonthFiles]:
    """The files of each month, and when the last of them was written, of all exports together."""
    found = [o for name in settings.exports.values() for o in _objects(settings, name)]
    return written_by_month(found, _month_of)


def _month_of(path: str) -> date | None:
    """The month of the folder below the export's; None for what lies elsewhere, or in a part of a month."""
    parts = PurePosixPath(path).parts
    spans = _RANGE.fullmatch(parts[1]) if len(parts) > 2 else None
    return datetime.strptime(spans[1], "%Y%m%d").date() if spans and spans[1].endswith("01") else None  # noqa: DTZ007


def _newest_run(settings: AzureBillSettings, view: View, name: str, window: Window) -> _Run | None:
    months = _months(settings, name)
    folder = months.get(window.slice_date)
    if folder is None:
        if not months or window.slice_date > min(months):
            raise SourceError(_nothing(settings, name, window.slice_date, sorted(months)))
        return None
    objects = _objects(settings, folder)
    written = [o for o in objects if PurePosixPath(o.path).name.lower() == _MANIFEST]
    if not written:
        raise IncompleteDeliveryError(
            f"{settings.location}: {folder} holds {len(objects)} files and no {_MANIFEST}, which a run writes last; "
            "wait for the export to end. Exports without file partitioning write none: create the export anew"
        )
    runs = [_Run(o, read_manifest(o.path, _body(settings, o))) for o in written]
    newest = _newest(settings, runs)
    if newest.manifest.view not in (None, view):
        raise SourceError(
            f"{settings.location}: {newest.found.path} is of an export of {newest.manifest.view} charges, and the "
            f"setting `{view}` names it; name the export of the other kind"
        )
    return newest


def _newest(settings: AzureBillSettings, runs: Sequence[_Run]) -> _Run:
    """The newest run, by the first word that all have and that no two of the newest share. Raises SourceError."""
    left = list(runs)
    for found in zip(*(run.ages for run in runs), strict=True):
        ages = [age for run, age in zip(runs, found, strict=True) if run in left]
        if None not in ages:
            latest = max(cast("list[str]", ages))
            left = [run for run, age in zip(left, ages, strict=True) if age == latest]
        if len(left) == 1:
            return left[0]
    folders = ", ".join(str(PurePosixPath(run.found.path).parent) for run in left)
    raise SourceError(
        f"{settings.location}: nothing tells which run is the newest of {folders}: their manifests state no instant, "
        "and the store took them in at once. Each holds the whole month; move away all but the one that counts"
    )


def _months(settings: AzureBillSettings, name: str) -> dict[date, str]:
    """The folder of each month of the export. Raises SourceError for folders that are no calendar months."""
    ranges = {part.parts[1] for o in _objects(settings, name) if len((part := PurePosixPath(o.path)).parts) > 2}
    months = dict[date, str]()
    for text in sorted(ranges):
        found = _RANGE.fullmatch(text)
        if found is None:
            continue
        first, last = (date(int(d[:4]), int(d[4:6]), int(d[6:])) for d in found.groups())
        if first.day != 1 or last != _last_day(first):
            raise SourceError(
                f"{settings.location}: {name}/{text} is no calendar month, and parts of months would be counted twice; "
                "let the export cover the month to date, or the last month, and move the folder away"
            )
        months[first] = f"{name}/{text}"
    return months


def _last_day(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _stored(run: _Run, blob: Blob, objects: dict[str, StoredObject]) -> StoredObject:
    """The blob beside the manifest, whose last name it has. Raises IncompleteDeliveryError when it is not as stated."""
    path = str(PurePosixPath(run.found.path).parent / PurePosixPath(blob.name).name)
    stored = objects.get(path)
    if stored is None:
        raise IncompleteDeliveryError(
            f"{run.found.path} names {blob.name}, which is not there; run the day again, or run the export again"
        )
    # what a compressed blob's count counts is not documented: its reader notices when it is cut
    if blob.byte_count not in (None, stored.size) and not run.manifest.is_compressed:
        raise IncompleteDeliveryError(
            f"{stored.path} has {stored.size:,} bytes and its manifest says {blob.byte_count:,}; it was changed or is "
            "still being written: run the day again, or run the export again"
        )
    return stored


def _objects(settings: AzureBillSettings, folder: str) -> Sequence[StoredObject]:
    return list_objects(settings.location or "", settings.store_options, folder)


def _body(settings: AzureBillSettings, found: StoredObject) -> Body:
    return body(settings.location or "", settings.store_options, found.path, found.etag)


def _nothing(settings: AzureBillSettings, name: str, wanted: date | None, months: Sequence[date]) -> str:
    """Says that the export holds nothing of the month (of any month), and which folder would."""
    month, folder = "any month", "<first day>-<last day>"
    if wanted is not None:
        month, folder = f"{wanted:%Y-%m}", f"{wanted:%Y%m%d}-{_last_day(wanted):%Y%m%d}"
    held = f"its months are {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "it has no folder of a month"
    return (
        f"{settings.location}: the export {name} holds nothing of {month} ({held}). Nothing is known of it, which is "
        f"not zero: check the export's last run, or the settings; expected {name}/{folder}/<run>/{_MANIFEST}"
    )
