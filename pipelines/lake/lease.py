"""The lock of a lake on an object store: a lease, renewed while its holder lives, taken over when it has expired.

It stands on conditional writes: of two runs that try, the store lets one. A killed run keeps others out for LEASE at
the longest.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from pipelines.lake.errors import LakeError, LakeLockedError
from pipelines.lake.holder import Holder, parsed, refusal, written
from pipelines.lake.paths import LOCK
from pipelines.lake.root import Root

Clock = Callable[[], datetime]
LEASE = timedelta(minutes=10)
RENEWAL_SECONDS = 60.0  # nine renewals may fail before a living holder loses its lease


class _Keeper:
    """Renews one lease in the background until it is let go or lost."""

    def __init__(self, root: Root, holder: Holder, clock: Clock, renewal_seconds: float) -> None:
        self._root, self._clock, self._pause = root, clock, renewal_seconds
        self._holder = _renewed(holder, clock)
        self._etag = _take(root, self._holder, clock)
        self._released = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lake-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises LakeLockedError once the lease is lost, or has run out without being renewed."""
        if self._lost.is_set() or _expired(self._holder, self._clock):
            raise LakeLockedError(
                f"run {self._holder.run_id} lost its lease on {self._root.location}, and another run may be writing; "
                "run it again when that one has ended"
            )

    def release(self) -> None:
        """Ends the lease, if it is still this run's. Where the store does not answer, the lease ends by itself."""
        self._released.set()
        self._thread.join()
        with suppress(OSError, BaseError):  # an error here would hide what became of the run
            self._renew()
            if not self._lost.is_set():
                obstore.delete(self._root.store, LOCK)

    def _keep(self) -> None:
        while not self._lost.is_set() and not self._released.wait(self._pause):
            with suppress(OSError, BaseError):  # the store is away for a moment: the lease still runs
                self._renew()

    def _renew(self) -> None:
        renewed = _renewed(self._holder, self._clock)
        try:
            self._etag = _renew(self._root, renewed, self._etag)
        except (PreconditionError, FileNotFoundError):
            self._lost.set()
        else:
            self._holder = renewed


@contextmanager
def leasing(root: Root, holder: Holder, clock: Clock, renewal_seconds: float) -> Generator[Callable[[], None]]:
    """Holds the lease. Yields a check that raises LakeLockedError once it is lost.

    Raises LakeLockedError when another run holds it.
    """
    keeper = _Keeper(root, holder, clock, renewal_seconds)
    try:
        yield keeper.check
    finally:
        keeper.release()


def _take(root: Root, holder: Holder, clock: Clock) -> str:
    try:
        return _put(root, holder, "create")
    except AlreadyExistsError:
        pass
    try:
        found = obstore.get(root.store, LOCK)
        etag, current = found.meta["e_tag"], parsed(bytes(found.bytes()).decode("utf-8", "replace"))
    except FileNotFoundError:
        return _retake(root, holder, "create")
    if current is not None and not _expired(current, clock):
        remedy = f"if it is dead, the lease ends by itself at {current.expires_at} UTC"
        raise LakeLockedError(refusal(root, current, remedy))
    return _retake(root, holder, {"e_tag": etag})


def _retake(root: Root, holder: Holder, mode: Any) -> str:
    try:
        return _put(root, holder, mode)
    except (AlreadyExistsError, PreconditionError):
        raise LakeLockedError(refusal(root, None, "another run was quicker")) from None


def _put(root: Root, holder: Holder, mode: Any) -> str:
    etag = obstore.put(root.store, LOCK, written(holder).encode(), mode=mode)["e_tag"]
    if etag is None:
        raise LakeError(f"{root.location} gives no ETags: the lake's lock needs a store with conditional writes")
    return etag


def _renew(root: Root, holder: Holder, etag: str) -> str:
    """Renews the lease. A renewal whose answer was lost on the way is found to be ours by what it says.

    Raises PreconditionError when another run has the lock.
    """
    try:
        return _put(root, holder, {"e_tag": etag})
    except PreconditionError:
        found = obstore.get(root.store, LOCK)
        current = parsed(bytes(found.bytes()).decode("utf-8", "replace"))
        if current is None or replace(current, expires_at=None) != replace(holder, expires_at=None):
            raise
        return _put(root, holder, {"e_tag": found.meta["e_tag"]})


def _expired(holder: Holder, clock: Clock) -> bool:
    return holder.expires_at is None or datetime.fromisoformat(holder.expires_at) <= clock()


def _renewed(holder: Holder, clock: Clock) -> Holder:
    expires = (clock() + LEASE).isoformat(timespec="seconds")
    return Holder(holder.run_id, holder.host, holder.pid, holder.since, expires)
