"""A snapshot's files as files: copied to this machine, and listed with their sizes."""

import shutil
from pathlib import Path

import obstore

from pipelines.lake.root import Root


def fetch(root: Root, relative: str, target: Path) -> None:
    """Copies a file from below the root to a local path. Raises FileNotFoundError when it is absent."""
    if root.is_local:
        shutil.copyfile(root.path(relative), target)
        return
    with root.open(relative) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def file_sizes(root: Root, folder: str) -> dict[str, int]:
    """The bytes of every file below a folder, by its path relative to that folder."""
    if root.is_local:
        top = root.path(folder)
        return {path.relative_to(top).as_posix(): path.stat().st_size for path in top.rglob("*") if path.is_file()}
    found = [meta for batch in obstore.list(root.store, folder) for meta in batch]
    return {meta["path"].removeprefix(f"{folder}/"): meta["size"] for meta in found}
