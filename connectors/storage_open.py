"""The one way in which anything here opens an object store: sources, the lake, its tables and the outbox alike.

Here belongs: what a location and its options mean, how long a store may take, and the same options in the words of
Delta's own client.
Here does not belong: reading, writing, and credentials from anywhere but the options: the process's environment and
the machine's own role are used only where the options say `credentials: ambient`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from connectors.base import AuthenticationError, SourceError
from connectors.patience import current_patience
from connectors.storage_errors import explained

# A night must not hang on a store that is down: eight tries, two minutes, then the source counts as stale.
_TRIES = 8
_RETRY = {
    "retry_timeout": timedelta(minutes=2),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=15), "base": 2},
}
# `timeout` bounds one whole request, body included: a bill of some GiB over a slow line must still fit.
_CLIENT = {
    "connect_timeout": timedelta(seconds=10),
    "read_timeout": timedelta(seconds=60),
    "timeout": timedelta(minutes=30),
}
ACCESS_MODE = "credentials"  # our own option: `ambient` allows the machine's role or environment
AMBIENT = "ambient"
_ALLOW_HTTP = ("allow_http", "aws_allow_http", "google_allow_http", "azure_allow_http")
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


def open_store(location: str, options: Mapping[str, str], *, create: bool = False) -> ObjectStore:
    """The store at a folder, or at `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`.

    Args:
        location: where it is.
        options: the store's own settings (`aws_access_key_id`, `aws_region`, `aws_endpoint_url`, ...), all strings.
        create: makes a folder that is absent.

    Raises:
        AuthenticationError: the options hold no credentials and do not say `credentials: ambient`.
        SourceError: there is no such folder, or the location or an option cannot be understood.
    """
    if is_folder(location):
        folder = Path(location.removeprefix("file://")) if create else folder_of(location)
        return LocalStore(folder, mkdir=create)
    scheme = location.partition("://")[0]
    if scheme not in _SCHEMES:
        raise SourceError(f"location {location!r}: {scheme}:// is not one of a folder, s3://, gs://, az://, abfss://")
    family = _SCHEMES[scheme]
    _require_credentials(location, family, options)
    _require_addresses(location, options)
    config = _store_options(options)
    settings: dict[str, Any] = {
        "config": config,
        "client_options": {**_CLIENT, "allow_http": _allows_http(options)},
        "retry_config": {**_RETRY, "max_retries": current_patience().tries(_TRIES) - 1},
    }
    if family == "aws" and "aws_access_key_id" in config:
        settings["credential_provider"] = _fixed_aws_key(config)
    try:
        return from_url(location, **settings)
    except (BaseError, ValueError) as error:
        raise explained(error, location, options) from None


def table_options(options: Mapping[str, str]) -> dict[str, str]:
    """The same options as Delta's client takes them: it refuses or misreads the words that are ours."""
    allowed = {"allow_http": "true"} if _allows_http(options) else {}
    return {**_store_options(options), **allowed}


def is_folder(location: str) -> bool:
    """Whether a location is a folder of this machine."""
    return "://" not in location or location.startswith("file://")


def folder_of(location: str) -> Path:
    """The folder that a location names. Raises SourceError when there is none.

    Kinds call the setting by different names (location, scrapes): the error says its value, by which it is found.
    """
    folder = Path(location.removeprefix("file://"))
    if not folder.exists():
        raise SourceError(
            f"there is no folder {folder} (configured: {location!r}); create it, mount it, or correct the setting"
        )
    if not folder.is_dir():
        raise SourceError(f"{folder} is a file (configured: {location!r}); give the folder that holds it")
    return folder


def _store_options(options: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in options.items() if name not in {ACCESS_MODE, *_ALLOW_HTTP}}


def _allows_http(options: Mapping[str, str]) -> bool:
    return any(options.get(name, "").lower() == "true" for name in _ALLOW_HTTP)


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
    if options.get(ACCESS_MODE) != AMBIENT and not any(name in options for name in accepted):
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
