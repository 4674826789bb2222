"""Pages of a day: its files through the allow-list, and of neighbouring days' files the jobs that reach into it.

A page is JSON lines. The first says of which file it is (`sacct`), the others are jobs. Steps are not landed: they
repeat what their job held.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import orjson

from connectors.base import Bytes, Page, SourceError, Window
from connectors.dated_files import dates_in, files_of_day
from connectors.fields import RowError
from connectors.slurm.columns import landable
from connectors.slurm.listing import Listing, Unreadable, read_listing
from connectors.slurm.settings import SlurmSettings
from connectors.slurm.stretches import read_stretch
from connectors.storage import StoredObject, body, list_objects


def fetch_pages(settings: SlurmSettings, window: Window) -> Iterator[Page]:
    """The window's pages, oldest file first. None for a day before the first file.

    Raises SourceError when the day has no file: nothing is known of it, which is not zero.
    """
    day, filed = window.slice_date, dict[str, tuple[StoredObject, date]]()
    reach = (day, *(day + timedelta(days=n) for n in (-1, *range(1, settings.later_days + 1))))
    for dated in reach:
        for found in files_of_day(settings.location, settings.store_options, settings.layout, dated):
            filed.setdefault(found.path, (found, dated))
    if not any(dated == day for _, dated in filed.values()):
        _require_before_first(settings, day)
        return
    for path in sorted(filed):
        found, dated = filed[path]
        content = body(settings.location, settings.store_options, path, found.etag)
        lines = _landed(read_listing(content, path, settings), settings, window, dated)
        if len(lines) > 1 or dated == day:
            text = b"".join(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n" for line in lines)
            yield Page(f"{path}.jsonl", Bytes(text))


def probe_files(settings: SlurmSettings) -> str:
    """How many files there are, from when, and what the newest holds, in one line. Raises SourceError for none."""
    files = list_objects(settings.location, settings.store_options)
    dates = dates_in(found.path for found in files)
    newest = files_of_day(settings.location, settings.store_options, settings.layout, dates[-1]) if dates else []
    if not newest:
        raise SourceError(
            f"{settings.location}: {len(files)} files, none of a day that can be told by its path. "
            "Write sacct's output to names with the day, such as sacct-2026-10-01.txt, or set 'layout'."
        )
    path = newest[-1].path
    listing = read_listing(body(settings.location, settings.store_options, path), path, settings)
    return (
        f"{settings.location} holds {len(files)} files, dated {dates[0]} to {dates[-1]}; {path} lists "
        f"{len(listing.rows)} jobs and steps"
    )


def _landed(listing: Listing, settings: SlurmSettings, window: Window, dated: date) -> list[dict[str, Any]]:
    counted, jobs = Counter[str](), list[dict[str, Any]]()
    is_own = dated == window.slice_date
    for number, row in listing.rows:
        if isinstance(row, Unreadable):
            if is_own:
                jobs.append({"unreadable": row.reason, "line": number})
        elif "." in (row.get("JobIDRaw") or row.get("JobID") or ""):
            counted["step_rows"] += 1
        elif settings.slurm_cluster and row.get("Cluster", settings.slurm_cluster) != settings.slurm_cluster:
            counted["other_clusters"] += 1
        else:
            job = {**landable(row, frozenset(settings.label_columns)), "line": number}
            if is_own or _reaches_into(job, settings, window, dated):
                jobs.append(job)
    told: dict[str, Any] = {"file_date": dated.isoformat(), **(counted if is_own else {})}
    if is_own:
        told |= {"new_columns": sorted(listing.new_columns), "warnings": listing.warning_count}
    return [{"sacct": told}, *jobs]


def _reaches_into(job: Mapping[str, Any], settings: SlurmSettings, window: Window, dated: date) -> bool:
    """Whether a job of a neighbouring day's file is the window's, too; an unreadable one is its own day's to refuse."""
    try:
        stretch = read_stretch(job, settings, dated)
    except RowError:
        return False
    return stretch is not None and stretch.start < window.end and stretch.end > window.start


def _require_before_first(settings: SlurmSettings, day: date) -> None:
    dates = dates_in(found.path for found in list_objects(settings.location, settings.store_options))
    if not dates or dates[0] < day:
        raise SourceError(
            f"{settings.location}: there is no file of {day}. Nothing is known of its jobs, which is not zero: "
            f"write sacct's output of that day, such as sacct-{day}.txt."
        )
