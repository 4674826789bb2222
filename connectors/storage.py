"""How every connector reads files: one way for a local folder, S3, Google Cloud Storage and Azure Blob Storage.

Here belongs: listing and streaming of objects, from one location string and a mapping of options; errors that say
which location and what to do about it, with every option's value kept out of them.
Here does not belong: opening the store (`storage_open`), writing, and what the files mean.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import BinaryIO, cast

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import LocalStore, ObjectStore

from connectors.base import Body, SourceError
from connectors.storage_errors import explained, is_refusal
from connectors.storage_open import folder_of, is_folder, open_store
from connectors.storage_stream import CHUNK_BYTES, ObjectStream, file_chunks

_NOBODYS_OBJECT = "5f1c7e9a-no-such-object"


@dataclass(frozen=True, order=True)
class StoredObject:
    """One object: `path` is relative to the location, `size` in bytes, `etag` changes when the content does.

    `modified` is when the store last took it in, by the store's clock.
    """

    path: str
    size: int
    etag: str | None
    modified: datetime | None = field(default=None, compare=False)


def list_objects(
    location: str, options: Mapping[str, str], prefix: str = "", most: int | None = None
) -> list[StoredObject]:
    """Every object below the location, in the order of their paths; with `prefix`, a folder below it, only those.

    With `most`, about as many of them as the store lists first.

    `location` is a folder, or `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`; `options` are the
    store's own settings (`aws_access_key_id`, `aws_region`, `aws_endpoint_url`, `aws_allow_http`, ...), all strings.

    Raises SourceError when the location cannot be listed, AuthenticationError when the store refuses the credentials.
    """
    try:
        store = open_store(location, options)
        listed = (meta for batch in obstore.list(store, prefix or None) for meta in batch)
        found = [
            StoredObject(meta["path"], meta["size"], meta["e_tag"], meta["last_modified"])
            for meta in islice(listed, most)
        ]
        if not found and not isinstance(store, LocalStore):
            _require_store(store, location)
    except (BaseError, OSError, ValueError) as error:
        raise explained(error, location, options) from None
    return sorted(found)


def _require_store(store: ObjectStore, location: str) -> None:
    """Before an empty listing is believed: the store's client takes a web page, too, for a listing of nothing.

    A store denies an object that nobody has; a proxy's or a sign-in's page answers that as it answers everything.
    """
    try:
        obstore.head(store, _NOBODYS_OBJECT)
    except (FileNotFoundError, PermissionDeniedError):
        return
    except BaseError as error:
        if is_refusal(error):
            return
    raise SourceError(f"{location}: what answers there is no object store. Is a proxy or a sign-in page in the way?")


def body(location: str, options: Mapping[str, str], path: str, etag: str | None = None) -> Body:
    """The object at `path` below the location, as bytes that are streamed when opened.

    With `etag`, from the listing, an object that was replaced since then is refused instead of read half old, half
    new. Raises SourceError for a path that leads out of the location.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise SourceError(f"{location}: {path!r} is no path below the location; use the paths that its listing gives")
    return _StoredBody(location, dict(options), path, etag)


def refuse_packed_twins(files: Iterable[StoredObject]) -> None:
    """Raises SourceError where a file lies beside its own packed form: both would be counted."""
    paths = {found.path for found in files}
    for path in sorted(paths):
        if f"{path}.gz" in paths:
            raise SourceError(f"{path} lies beside {path}.gz: the bill would be counted twice; remove one of them")


@dataclass(frozen=True)
class _StoredBody:
    location: str
    options: Mapping[str, str]
    path: str
    etag: str | None

    def __repr__(self) -> str:
        return f"_StoredBody({self.location!r}, {self.path!r})"

    def open(self) -> AbstractContextManager[BinaryIO]:
        """A fresh stream from the first byte, and any place may be read instead; a few MiB are in memory at a time."""
        _refuse_escape(self.location, self.path)
        try:
            store = open_store(self.location, self.options)
            result = obstore.get(store, self.path, options={"if_match": self.etag} if self.etag else None)
        except (BaseError, OSError, ValueError) as error:
            raise explained(error, self.location, self.options, self.path) from None
        # the store's client never ends on a local file that shrinks under it, so that such a file is read here
        is_local = isinstance(store, LocalStore)
        chunks = file_chunks(folder_of(self.location) / self.path) if is_local else iter(result.stream(CHUNK_BYTES))
        raw = ObjectStream(
            cast("Iterator[bytes]", chunks),
            result.meta["size"],
            lambda error: explained(error, self.location, self.options, self.path),
            lambda start, end: _range(store, self.path, result.meta["e_tag"], start, end),
        )
        return cast("AbstractContextManager[BinaryIO]", io.BufferedReader(raw, CHUNK_BYTES))


def _range(store: ObjectStore, path: str, etag: str | None, start: int, end: int) -> bytes:
    """The bytes from `start` up to `end` of that very object: one that was replaced meanwhile is refused."""
    options: obstore.GetOptions = {"range": (start, end)}
    if etag:
        options["if_match"] = etag
    return bytes(obstore.get(store, path, options=options).bytes())


def _refuse_escape(location: str, path: str) -> None:
    """A symbolic link below a local folder may not lead out of it."""
    if not is_folder(location):
        return
    folder = folder_of(location).resolve()
    if not (folder / path).resolve().is_relative_to(folder):
        raise SourceError(f"{location}: {path!r} is a link that leads out of the folder; put the file itself there")
