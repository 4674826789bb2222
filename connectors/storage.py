"""How every connector reads files: one way for a local folder, S3, Google Cloud Storage and Azure Blob Storage.

Here belongs: listing and streaming of objects, from one location string and a mapping of options; errors that say
which location and what to do about it, with every option's value kept out of them.
Here does not belong: writing, what the files mean, and credentials from anywhere but the options: the process's
environment and the machine's own role are used only where the options say `credentials: ambient`.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
)
from obstore.store import LocalStore, ObjectStore, from_url

from connectors.base import AuthenticationError, Body, SourceError
from connectors.storage_errors import explained, is_refusal
from connectors.storage_stream import CHUNK_BYTES, ObjectStream, file_chunks

# A night must not hang on a store that is down: eight tries, two minutes, then the source counts as stale.
_RETRY = {
    "max_retries": 7,
    "retry_timeout": timedelta(minutes=2),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=15), "base": 2},
}
# `timeout` bounds one whole request, body included: a bill of some GiB over a slow line must still fit.
_CLIENT = {
    "connect_timeout": timedelta(seconds=10),
    "read_timeout": timedelta(seconds=60),
    "timeout": timedelta(minutes=30),
}
_NOBODYS_OBJECT = "5f1c7e9a-no-such-object"
_ACCESS_MODE = "credentials"  # our own option: `ambient` allows the machine's role or environment
_OURS = {_ACCESS_MODE, "allow_http", "aws_allow_http", "google_allow_http", "azure_allow_http"}
_SCHEMES = {"s3": "aws", "s3a": "aws", "gs": "google", "az": "azure", "abfs": "azure", "abfss": "azure"}
_CREDENTIAL_OPTIONS = {
    "aws": ("aws_access_key_id", "aws_skip_signature"),
    "google": ("google_service_account_key", "google_service_account", "google_skip_signature"),
    "azure": (
        "azure_storage_account_key",
        "azure_storage_sas_token",
        "azure_storage_client_secret",
        "azure_skip_signature",
    ),
}


@dataclass(frozen=True, order=True)
class StoredObject:
    """One object: `path` is relative to the location, `size` in bytes, `etag` changes when the content does."""

    path: str
    size: int
    etag: str | None


def list_objects(location: str, options: Mapping[str, str], prefix: str = "") -> list[StoredObject]:
    """Every object below the location, in the order of their paths; with `prefix`, a folder below it, only those.

    `location` is a folder, or `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`; `options` are the
    store's own settings (`aws_access_key_id`, `aws_region`, `aws_endpoint_url`, `aws_allow_http`, ...), all strings.

    Raises SourceError when the location cannot be listed, AuthenticationError when the store refuses the credentials.
    """
    try:
        store = _store(location, options)
        found = [
            StoredObject(meta["path"], meta["size"], meta["e_tag"])
            for batch in obstore.list(store, prefix or None)
            for meta in batch
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


@dataclass(frozen=True)
class _StoredBody:
    location: str
    options: Mapping[str, str]
    path: str
    etag: str | None

    def __repr__(self) -> str:
        return f"_StoredBody({self.location!r}, {self.path!r})"

    def open(self) -> AbstractContextManager[BinaryIO]:
        """A fresh stream from the first byte; at most a few MiB of the object are in memory at any time."""
        _refuse_escape(self.location, self.path)
        try:
            store = _store(self.location, self.options)
            result = obstore.get(store, self.path, options={"if_match": self.etag} if self.etag else None)
        except (BaseError, OSError, ValueError) as error:
            raise explained(error, self.location, self.options, self.path) from None
        # the store's client never ends on a local file that shrinks under it, so that such a file is read here
        is_local = isinstance(store, LocalStore)
        chunks = file_chunks(_folder(self.location) / self.path) if is_local else iter(result.stream(CHUNK_BYTES))
        raw = ObjectStream(
            cast("Iterator[bytes]", chunks),
            result.meta["size"],
            lambda error: explained(error, self.location, self.options, self.path),
        )
        return cast("AbstractContextManager[BinaryIO]", io.BufferedReader(raw, CHUNK_BYTES))


def _store(location: str, options: Mapping[str, str]) -> ObjectStore:
    scheme = location.partition("://")[0] if "://" in location else "file"
    if scheme == "file":
        return LocalStore(_folder(location))
    if scheme not in _SCHEMES:
        raise SourceError(f"location {location!r}: {scheme}:// is not one of a folder, s3://, gs://, az://, abfss://")
    family = _SCHEMES[scheme]
    _require_credentials(location, family, options)
    _require_addresses(location, options)
    allow_http = any(options.get(name, "").lower() == "true" for name in _OURS - {_ACCESS_MODE})
    config = {name: value for name, value in options.items() if name not in _OURS}
    settings: dict[str, Any] = {
        "config": config,
        "client_options": {**_CLIENT, "allow_http": allow_http},
        "retry_config": _RETRY,
    }
    if family == "aws" and "aws_access_key_id" in config:
        settings["credential_provider"] = _fixed_aws_key(config)
    return from_url(location, **settings)


def _fixed_aws_key(config: Mapping[str, str]) -> Callable[[], dict[str, Any]]:
    """The key of the options and nothing else: a session token in the environment would otherwise be mixed in."""
    key = {
        "access_key_id": config["aws_access_key_id"],
        "secret_access_key": config.get("aws_secret_access_key", ""),
        "token": config.get("aws_session_token"),
        "expires_at": None,
    }
    return lambda: key


def _require_credentials(location: str, family: str, options: Mapping[str, str]) -> None:
    accepted = _CREDENTIAL_OPTIONS[family]
    if options.get(_ACCESS_MODE) != "ambient" and not any(name in options for name in accepted):
        raise AuthenticationError(
            f"location {location}: the options hold no credentials; give one of {', '.join(accepted)} "
            f"(for an AWS key also aws_secret_access_key), or `credentials: ambient` to use the machine's own role"
        )


def _require_addresses(location: str, options: Mapping[str, str]) -> None:
    """The store's library panics on an endpoint that is no URL, so that is refused here."""
    for name, value in options.items():
        if not name.endswith(("endpoint", "endpoint_url")):
            continue
        address = urlsplit(value)
        if address.scheme not in {"http", "https"} or not address.hostname or re.search(r"\s", value):
            raise SourceError(f"location {location}: option {name} is no address; write it like https://host:port")


def _folder(location: str) -> Path:
    folder = Path(location.removeprefix("file://"))
    if not folder.exists():
        raise SourceError(
            f"there is no folder {folder} (setting `location` = {location!r}); create it, mount it, "
            "or correct the setting"
        )
    if not folder.is_dir():
        raise SourceError(f"{folder} is a file (setting `location` = {location!r}); give the folder that holds it")
    return folder


def _refuse_escape(location: str, path: str) -> None:
    """A symbolic link below a local folder may not lead out of it."""
    if "://" in location and not location.startswith("file://"):
        return
    folder = _folder(location).resolve()
    if not (folder / path).resolve().is_relative_to(folder):
        raise SourceError(f"{location}: {path!r} is a link that leads out of the folder; put the file itself there")
