"""The place where the outbox keeps its claims: a folder or an object store, by one location string.

Here belongs: opening a store that can create an object only where none is. Here does not belong: what is stored.
"""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from obstore.store import LocalStore, ObjectStore, from_url

_CLIENT = {"connect_timeout": timedelta(seconds=10), "timeout": timedelta(seconds=60)}
_RETRY = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
_AMBIENT = "credentials"  # `credentials: ambient` in the options allows the machine's own role
_HTTP = ("allow_http", "aws_allow_http", "google_allow_http", "azure_allow_http")


def open_store(root: str, storage: Mapping[str, str]) -> ObjectStore:
    """The store at `root`: a folder, made if need be, or a URL of an object store with its `storage` options."""
    if _is_folder(root):
        return LocalStore(_folder(root), mkdir=True)
    allow_http = any(storage.get(name, "").lower() == "true" for name in _HTTP)
    config = {name: value for name, value in storage.items() if name not in (*_HTTP, _AMBIENT)}
    settings: dict[str, Any] = {
        "config": config,
        "client_options": {**_CLIENT, "allow_http": allow_http},
        "retry_config": _RETRY,
    }
    if "aws_access_key_id" in config:
        settings["credential_provider"] = _fixed_aws_key(config)
    return from_url(root, **settings)


def make_durable(root: str, path: str) -> None:
    """Waits until an object in a folder is on the disk, so that a power cut forgets no claim.

    An object store has it safe when it answers.
    """
    if not _is_folder(root):
        return
    file = _folder(root) / path
    for place in (file, file.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_folder(root: str) -> bool:
    return "://" not in root or root.startswith("file://")


def _folder(root: str) -> Path:
    return Path(root.removeprefix("file://"))


def _fixed_aws_key(config: Mapping[str, str]) -> Callable[[], dict[str, Any]]:
    """The options' key and nothing else: a session token in the environment would otherwise be mixed in."""
    key = {
        "access_key_id": config["aws_access_key_id"],
        "secret_access_key": config.get("aws_secret_access_key", ""),
        "token": config.get("aws_session_token"),
        "expires_at": None,
    }
    return lambda: key
