"""A finished snapshot put in place: readers see the one before until one last step, then all of the new one.

That step is one rename of a link (a folder) or one put of `current.json` (an object store).
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import obstore

from pipelines.lake.paths import DATABASE, MADE_FROM, PARQUET, PUBLISHED, SNAPSHOTS, snapshot_folder
from pipelines.lake.root import Root, sync

KEPT_SNAPSHOTS = 5
T = TypeVar("T")


def swap_in(root: Root, built: Path, kept: Sequence[str], before: str) -> tuple[str, int]:
    """Makes the built folder, with the `kept` files of the snapshot folder `before`, the current snapshot.

    Older ones go afterwards, all but a few. Returns where the database lies and the snapshot's number.
    """
    return _swap_folder(root, built, kept, before) if root.is_local else _swap_object(root, built, kept, before)


def _swap_folder(root: Root, built: Path, kept: Sequence[str], before: str) -> tuple[str, int]:
    snapshots = root.path(SNAPSHOTS)
    snapshots.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in snapshots.iterdir() if path.name.isdigit()), default=0) + 1
    for name in kept:
        _share(root.path(before) / name, built / name)
    for path in (*built.rglob("*"), built):
        if path.is_dir() or path.stat().st_nlink == 1:  # a file with a second name was made durable before
            sync(path)
    built.rename(root.path(snapshot_folder(number)))
    sync(snapshots)
    published = root.path(PUBLISHED)
    for name in (DATABASE, PARQUET):
        _link(published / name, f"current/{name}")
    _link(published / "current", str(root.path(snapshot_folder(number)).relative_to(published)))
    sync(published)
    for path in _outdated(sorted(path for path in snapshots.iterdir() if path.name.isdigit())):
        shutil.rmtree(path, ignore_errors=True)
    return str(published / DATABASE), number


def _share(file: Path, target: Path) -> None:
    """One file under a second name; a copy where the file system has no such thing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)


def _link(link: Path, target: str) -> None:
    """Points a link at its target by one rename, so that it is never absent."""
    if link.is_symlink() and str(link.readlink()) == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _swap_object(root: Root, built: Path, kept: Sequence[str], before: str) -> tuple[str, int]:
    found = obstore.list_with_delimiter(root.store, SNAPSHOTS)["common_prefixes"]
    numbers = sorted(int(name) for prefix in found if (name := prefix.rstrip("/").rpartition("/")[2]).isdigit())
    number = (numbers[-1] if numbers else 0) + 1
    folder = snapshot_folder(number)
    for name in kept:
        obstore.copy(root.store, f"{before}/{name}", f"{folder}/{name}")
    names = sorted(path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: name == MADE_FROM):  # last: it vouches for the others
        obstore.put(root.store, f"{folder}/{name}", built / name)
    pointer = {"number": number, "folder": folder, "files": sorted([*names, *kept])}
    obstore.put(root.store, f"{PUBLISHED}/current.json", json.dumps(pointer, indent=2).encode())
    for old in _outdated([*numbers, number]):
        stale = [meta["path"] for batch in obstore.list(root.store, snapshot_folder(old)) for meta in batch]
        obstore.delete(root.store, stale)
    return root.uri(f"{folder}/{DATABASE}"), number


def _outdated(snapshots: list[T]) -> list[T]:
    """All but the newest few: a reader may still be busy with one of those."""
    return snapshots[:-KEPT_SNAPSHOTS]
