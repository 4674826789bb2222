"""The spool: JSON lines, a file for each node and UTC hour, that outlive the sampler, the node's restarts and kill -9.

`<folder>/2026-10-01/node-1-20261001T10Z.jsonl` is being written; when its hour is over it becomes `.jsonl.gz`. A second
part of an hour (the clock ran back) is `node-1-20261001T10Z.2.jsonl`. A round is one write and one sync to the disk.

When the folder holds more than it may, the oldest closed file goes, because whoever fetches files has most likely had
that one; it is told, and a line in the spool says so too. Here does not belong: what lines say.
"""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.sampler.files import DROPPED, cut_torn_line, dropped_before, pack, sync_folder
from pipelines.sampler.readings import Fields

FORMAT = 1
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone, as everywhere in this house
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class SpoolError(Exception):
    """The spool cannot be used. The message is for people."""


@dataclass
class Spool:
    """An open spool of one node. Notes that it makes itself are written before the next round's lines."""

    folder: Path
    hostname: str
    most_bytes: int
    tell: Callable[[str], None]
    _notes: list[Fields] = field(default_factory=list[Fields])
    _path: Path | None = None
    _file: int = -1
    _size: int = 0
    _closed_bytes: int = 0
    _lock: int = -1

    @property
    def name(self) -> str:
        """The node's name as files carry it."""
        return _UNSAFE.sub("_", self.hostname)

    def note(self, kind: str, **words: Any) -> None:
        """Something that whoever reads the samples must know."""
        self._notes.append({"note": kind, **words})

    def open(self) -> None:
        """Takes the spool, and mends what a sudden end left behind.

        Raises SpoolError when another sampler has it, or nothing can be written there.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / f".{self.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._mend()
        except BlockingIOError:
            raise SpoolError(f"{self.folder}: another sampler writes there for {self.hostname}; stop it") from None
        except OSError as error:
            raise SpoolError(f"{self.folder} cannot be written: {error.strerror}. Give a folder of its own.") from None

    def append(self, at: datetime, lines: Iterable[Fields]) -> None:
        """Writes a round, after notes that wait, and syncs it. Raises OSError when no part of it was kept."""
        stem = f"{self.name}-{at:%Y%m%dT%H}Z"
        if self._path is None or not self._path.name.startswith(f"{stem}.") or not self._is_in_place():
            self._rotate(self.folder / f"{at:%Y-%m-%d}", stem)
        milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)  # down: the line belongs to its file's hour
        head = {"v": FORMAT, "at_ms": milliseconds, "host": self.hostname}
        text = "".join(
            json.dumps({**head, **line}, separators=(",", ":"), allow_nan=False) + "\n"
            for line in (*self._notes, *lines)
        )
        self._write(text.encode())
        self._notes.clear()
        self._make_room()

    def close(self) -> None:
        """Leaves the file of the hour as it is: the next start goes on with it."""
        self._leave()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write(self, content: bytes) -> None:
        """Appends all of it or none."""
        try:
            written = 0
            while written < len(content):
                written += os.write(self._file, content[written:])
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(content)

    def _is_in_place(self) -> bool:
        """Whether the file is still where it was: somebody may have moved it away."""
        if self._path is None:
            return False
        try:
            found, held = self._path.stat(), os.fstat(self._file)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)

    def _rotate(self, folder: Path, stem: str) -> None:
        if self._path is not None and not self._is_in_place():
            self.tell(f"{self._path} was moved or removed while it was written; a new file was begun")
        self._leave()
        folder.mkdir(parents=True, exist_ok=True)
        self._pack_all(but=stem)
        part = 1
        while (path := folder / f"{stem}{f'.{part}' if part > 1 else ''}.jsonl").with_suffix(".jsonl.gz").exists():
            part += 1
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._path, self._size = path, os.fstat(self._file).st_size
        self._closed_bytes = sum(closed.stat().st_size for closed in self._closed())
        sync_folder(folder)
        for past in self.folder.glob("20??-??-??"):
            if past.name < folder.name:
                with contextlib.suppress(OSError):  # it holds files still
                    past.rmdir()

    def _pack_all(self, but: str = "") -> None:
        """Packs what is closed. What cannot be packed, because the disk is full, stays as it is until the next hour."""
        for path in self._own("*.jsonl"):
            if not (but and path.name.startswith(f"{but}.")):
                try:
                    pack(path)
                except OSError as error:
                    self.tell(f"{path.name} cannot be packed ({error.strerror}); it is kept as it is")

    def _leave(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._path, self._file, self._size = None, -1, 0

    def _make_room(self) -> None:
        """Holds the bound: the oldest closed file goes first; where there is none, the hour's own is closed."""
        while self._closed_bytes + self._size > self.most_bytes:
            closed = self._closed()
            if not closed:
                self._leave()
                self._pack_all()
                closed = self._closed()
                self._closed_bytes = sum(path.stat().st_size for path in closed)
            elif not self._drop(closed[0]):
                return

    def _drop(self, oldest: Path) -> bool:
        try:
            size, before = oldest.stat().st_size, dropped_before(oldest)
            oldest.unlink()
        except OSError as error:
            self.tell(f"{oldest.name} cannot be removed ({error.strerror}): the spool is larger than it may be")
            return False
        self._closed_bytes -= size
        waiting = [note for note in self._notes if note["note"] == DROPPED]
        self._notes = [note for note in self._notes if note["note"] != DROPPED]
        told: list[Fields] = [*before, *waiting, {"files": 1, "bytes": size, "first": oldest.name, "last": oldest.name}]
        self.note(
            DROPPED,
            files=sum(note["files"] for note in told),
            bytes=sum(note["bytes"] for note in told),
            first=min(note["first"] for note in told),
            last=max(note["last"] for note in told),
        )
        self.tell(
            f"{oldest.name} ({size:,} bytes) was dropped: the spool may hold {self.most_bytes:,} bytes. "
            "Fetch its files, or give it more room with --most-mib."
        )
        return True

    def _closed(self) -> list[Path]:
        """Files that are not being written, oldest first."""
        return [path for path in self._own("*.jsonl*") if path != self._path and path.suffix != ".part"]

    def _mend(self) -> None:
        """After a sudden end: half-packed files are packed again, and a torn last line is cut off and told."""
        for path in self._own("*.jsonl.gz.part"):
            path.unlink()
        for path in self._own("*.jsonl"):
            if path.with_suffix(".jsonl.gz").exists():  # the end came between packing and removing
                path.unlink()
            elif torn := cut_torn_line(path):
                self.note("torn_line", file=path.name, bytes=torn)
                self.tell(f"{path.name} ended in the middle of a line: {torn} bytes were cut off")

    def _own(self, pattern: str) -> list[Path]:
        own = re.compile(rf"{re.escape(self.name)}-\d{{8}}T\d{{2}}Z(\.\d+)?\.jsonl(\.gz(\.part)?)?")
        found = (path for path in self.folder.glob(f"*/{pattern}") if own.fullmatch(path.name))
        return sorted(found, key=lambda path: path.name)
