"""One file of the spool at a time: packed, mended, put on the disk for certain.

Here belongs: what must hold whenever the node falls. Here does not belong: which files there are (`spool`).
"""

import gzip
import json
import os
import shutil
import zlib
from pathlib import Path

from pipelines.sampler.readings import Fields

DROPPED = "dropped_files"
_BLOCK_BYTES = 1 << 16


def dropped_before(path: Path) -> list[Fields]:
    """Notes in a file of what had been dropped when it was written: they must not vanish with it.

    A file that a failing disk made unreadable tells none.
    """
    mark = f'"note":"{DROPPED}"'.encode()
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            return [json.loads(line) for line in lines if mark in line]
    except (OSError, EOFError, zlib.error, ValueError):
        return []


def pack(path: Path) -> None:
    """Replaces a file by its gzip form; a sudden end leaves the one or the other whole."""
    packed = path.with_suffix(".jsonl.gz")
    part = path.with_suffix(".jsonl.gz.part")
    with path.open("rb") as plain, part.open("wb") as raw:
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as stream:
            shutil.copyfileobj(plain, stream, _BLOCK_BYTES)
        raw.flush()
        os.fsync(raw.fileno())
    part.replace(packed)
    sync_folder(path.parent)
    path.unlink()


def cut_torn_line(path: Path) -> int:
    """Cuts off what follows the last line's end. Returns how many bytes that were."""
    with path.open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK_BYTES)
            file.seek(start)
            place = file.read(end - start).rfind(b"\n")
            if place >= 0:
                end = start + place + 1
                break
            end = start
        file.truncate(end)
        os.fsync(file.fileno())
    return size - end


def sync_folder(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
