"""One writer at a time. On a folder the operating system holds the lock; on an object store a lease does.

A folder's lock ends with the process that holds it, however that ends. A lease is renewed while its holder lives and
expires when it no longer does, so that a killed run never blocks the next one for longer than LEASE.
"""

import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from pipelines.lake.errors import LakeError, LakeLockedError
from pipelines.lake.paths import LOCK
from pipelines.lake.root import Root

Clock = Callable[[], datetime]
LEASE = timedelta(minutes=10)
RENEWAL_SECONDS = 60.0  # nine renewals may fail before a living holder loses its lease


@dataclass(frozen=True)
class Holder:
    """Who writes. `expires_at` is None where the operating system ends the lock."""

    run_id: str
    host: str
    pid: int
    since: str
    expires_at: str | None = None

    def text(self) -> str:
        """The holder in words."""
        return f"run {self.run_id} (process {self.pid} on {self.host}, since {self.since} UTC)"


@contextmanager
def holding(
    root: Root, run_id: str, clock: Clock, renewal_seconds: float = RENEWAL_SECONDS
) -> Generator[Callable[[], None]]:
    """Holds the lake's lock. Yields a check that raises LakeLockedError once the lock has been lost.

    Raises LakeLockedError, naming the holder and the remedy, when another run writes.
    """
    holder = Holder(run_id, socket.gethostname(), os.getpid(), clock().isoformat(timespec="seconds"))
    if root.is_local:
        with _flock(root, holder):
            yield _always_held
    else:
        with _lease(root, holder, clock, renewal_seconds) as check:
            yield check


def _always_held() -> None:
    """The operating system keeps the lock for as long as the process lives."""


@contextmanager
def _flock(root: Root, holder: Holder) -> Generator[None]:
    path = root.path(LOCK)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LakeLockedError(_refusal(root, _holder(file.read()), "stop that process")) from None
        file.truncate(0)
        file.write(json.dumps(asdict(holder)))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def _lease(root: Root, holder: Holder, clock: Clock, renewal_seconds: float) -> Generator[Callable[[], None]]:
    etag = _take(root, holder, clock)
    released = threading.Event()
    lost = threading.Event()

    def renew() -> None:
        nonlocal etag
        while not released.wait(renewal_seconds):
            try:
                etag = _renew(root, _renewed(holder, clock), etag)
            except PreconditionError:
                lost.set()
                return
            except (OSError, obstore.exceptions.BaseError):
                continue  # the store is away for a moment: the lease still runs, the next renewal may succeed

    def check() -> None:
        if lost.is_set():
            raise LakeLockedError(
                f"run {holder.run_id} lost its lease on {root.location}: another run took over; run again when it ends"
            )

    keeper = threading.Thread(target=renew, name="lake-lease", daemon=True)
    keeper.start()
    try:
        yield check
    finally:
        released.set()
        keeper.join()
        if not lost.is_set():
            obstore.delete(root.store, LOCK)


def _take(root: Root, holder: Holder, clock: Clock) -> str:
    try:
        return _put(root, _renewed(holder, clock), "create")
    except AlreadyExistsError:
        pass
    try:
        found = obstore.get(root.store, LOCK)
        etag, current = found.meta["e_tag"], _holder(bytes(found.bytes()).decode("utf-8", "replace"))
    except FileNotFoundError:
        return _retake(root, holder, clock, "create")
    if current is not None and current.expires_at is not None and datetime.fromisoformat(current.expires_at) > clock():
        remedy = f"if it is dead, the lease ends by itself at {current.expires_at} UTC"
        raise LakeLockedError(_refusal(root, current, remedy))
    return _retake(root, holder, clock, {"e_tag": etag})


def _retake(root: Root, holder: Holder, clock: Clock, mode: Any) -> str:
    try:
        return _put(root, _renewed(holder, clock), mode)
    except (AlreadyExistsError, PreconditionError):
        raise LakeLockedError(_refusal(root, None, "another run was quicker")) from None


def _put(root: Root, holder: Holder, mode: Any) -> str:
    etag = obstore.put(root.store, LOCK, json.dumps(asdict(holder)).encode(), mode=mode)["e_tag"]
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
        current = _holder(bytes(found.bytes()).decode("utf-8", "replace"))
        if current is None or replace(current, expires_at=None) != replace(holder, expires_at=None):
            raise
        return _put(root, holder, {"e_tag": found.meta["e_tag"]})


def _renewed(holder: Holder, clock: Clock) -> Holder:
    expires = (clock() + LEASE).isoformat(timespec="seconds")
    return Holder(holder.run_id, holder.host, holder.pid, holder.since, expires)


def _holder(text: str) -> Holder | None:
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _refusal(root: Root, holder: Holder | None, remedy: str) -> str:
    who = holder.text() if holder else "another run"
    return f"the lake {root.location} is being written by {who}; wait until it ends, or {remedy}"
