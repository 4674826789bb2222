"""The latest of several versions of one record: some logs file a row again when they learn more of it.

Here belongs: which records of a delivery are outdated. Here does not belong: identity of attempts (`staging`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, cast

import orjson

from connectors.base import LandedPage
from connectors.logs.attempt import Attempt, NoAttemptError, Record
from connectors.logs.instants import microseconds


def records_of(pages: Iterable[LandedPage]) -> Iterator[Mapping[str, Any]]:
    """The readable rows of landed pages; whatever is wrong with the others, staging says it."""
    for page in pages:
        with page.body.open() as stream:
            for line in stream:
                try:
                    found = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
                if isinstance(found, dict):
                    yield cast("Mapping[str, Any]", found)


class Versions:
    """Which version of each record is the latest, over a whole delivery.

    `identity` and `version` are fields of the landed record; the version is an instant, and a record without one is
    older than any. Only records of which there are several versions are held.
    """

    def __init__(self, pages: Iterable[LandedPage], identity: str, version: str) -> None:
        self._identity, self._version = identity, version
        first: dict[bytes, int] = {}
        self._latest: dict[bytes, int] = {}
        for record in records_of(pages):
            key, found = self._of(record)
            known = first.setdefault(key, found)
            if known != found:
                self._latest[key] = max(known, found, self._latest.get(key, found))

    def is_outdated(self, record: Mapping[str, Any]) -> bool:
        """Whether the delivery holds a later version of the same record."""
        if not self._latest:
            return False
        key, found = self._of(record)
        return found < self._latest.get(key, found)

    def _of(self, record: Mapping[str, Any]) -> tuple[bytes, int]:
        digest = blake2b(str(record.get(self._identity)).encode(), digest_size=12).digest()
        return digest, microseconds(record.get(self._version)) or 0


def only_latest(versions: Versions, read: Callable[[Record], Attempt]) -> Callable[[Record], Attempt]:
    """The reader, for which an outdated record repeats the later one."""

    def latest(record: Record) -> Attempt:
        if versions.is_outdated(record):
            raise NoAttemptError(is_repeated=True)
        return read(record)

    return latest
