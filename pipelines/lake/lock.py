"""One writer at a time. On a folder the operating system holds the lock; on an object store a lease does.

A folder's lock ends with the process that holds it, however that ends; so nothing can be left behind by a killed run.
"""

import fcntl
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime

from pipelines.lake.errors import LakeLockedError
from pipelines.lake.holder import Holder, parsed, refusal, written
from pipelines.lake.lease import RENEWAL_SECONDS, leasing
from pipelines.lake.paths import LOCK
from pipelines.lake.root import Root

Clock = Callable[[], datetime]


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
        with leasing(root, holder, clock, renewal_seconds) as check:
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
            raise LakeLockedError(refusal(root, parsed(file.read()), "stop that process")) from None
        file.truncate(0)
        file.write(written(holder))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
