"""The lake's root: a local folder or an object store, reached by the same relative paths.

Here belongs: putting whole files in place durably, reading, listing and removing them.
Here does not belong: what the files mean. Tables reach their storage through deltalake, at the same address.
"""

import io
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

import obstore
from obstore.store import ObjectStore

from connectors.base import SourceError
from connectors.storage_open import is_folder, open_store, table_options
from pipelines.lake.errors import LakeError
from pipelines.lake.paths import SPOOL

_READ_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Root:
    """`location` is an absolute folder or a URL without a trailing slash.

    `store` is opened there, and `options` are what Delta's client needs to reach the same place: they hold secrets.
    """

    location: str
    store: ObjectStore = field(repr=False)
    options: Mapping[str, str] = field(repr=False)

    @property
    def is_local(self) -> bool:
        """Whether this is a folder of this machine."""
        return "://" not in self.location

    def path(self, relative: str) -> Path:
        """The local path. Raises LakeError on an object store."""
        if not self.is_local:
            raise LakeError(f"{self.location} is no local folder: {relative} has no path on this machine")
        return Path(self.location) / relative

    def uri(self, relative: str) -> str:
        """The full address of something below the root."""
        return f"{self.location}/{relative}"

    def open(self, relative: str) -> AbstractContextManager[BinaryIO]:
        """A stream over a file from its first byte."""
        if self.is_local:
            return self.path(relative).open("rb")
        return cast("BinaryIO", io.BufferedReader(_Remote(obstore.open_reader(self.store, relative)), _READ_BYTES))

    def exists(self, relative: str) -> bool:
        """Whether a file lies there."""
        if self.is_local:
            return self.path(relative).exists()
        try:
            obstore.head(self.store, relative)
        except FileNotFoundError:
            return False
        return True

    def adopt(self, file: Path, relative: str) -> None:
        """Moves a finished spool file to its place; after that it is durable and whole, before it is absent."""
        if not self.is_local:
            obstore.put(self.store, relative, file)
            file.unlink()
            return
        target = self.path(relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        sync(file)
        file.replace(target)
        sync(target.parent)

    def make_durable(self, relative: str) -> None:
        """Waits until a new file survives a power cut. An object store has it safe when it answers."""
        if self.is_local:
            sync(self.path(relative))
            sync(self.path(relative).parent)

    @contextmanager
    def spool(self) -> Generator[Path]:
        """A scratch folder, removed afterwards. On a local lake it lies on the lake's own file system."""
        if not self.is_local:
            with tempfile.TemporaryDirectory(prefix="farthing-spool-") as folder:
                yield Path(folder)
            return
        folder = self.path(f"{SPOOL}/{uuid4().hex}")
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clear_spool(self) -> None:
        """Removes what a killed run left in the scratch folder. Only the one writer may call it."""
        if self.is_local:
            shutil.rmtree(self.path(SPOOL), ignore_errors=True)


class _Remote(io.RawIOBase):
    """An object as a stream that can be read from any place."""

    def __init__(self, reader: "obstore.ReadableFile") -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: Any, /) -> int:
        chunk = memoryview(self._reader.read(len(buffer)))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def open_root(location: str, options: Mapping[str, str]) -> Root:
    """The root at a folder (created when absent) or an object store's URL.

    Raises LakeError when the folder cannot be used, or when the options do not say how to reach the store.
    """
    if not is_folder(location):
        try:
            return Root(location.rstrip("/"), open_store(location, options), table_options(options))
        except SourceError as error:
            raise LakeError(f"{error}; the lake's options stand under 'storage' in the configuration") from None
    folder = Path(location.removeprefix("file://")).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(
            f"the lake's folder {folder} cannot be used ({error.strerror}); correct 'lake' in the configuration"
        ) from error
    return Root(str(folder), open_store(str(folder), {}), {})


def sync(path: Path) -> None:
    """Makes a file's bytes, or a folder's entries, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
