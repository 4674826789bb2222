"""How long trouble is ridden out, shared by everything that is asked of one source on one occasion.

A source that is down is down for all its windows: one question waits for it to come back, and those after it are asked
once each until one is answered. No window is left out, so that one that the source always fails at blocks no other.

Here belongs: remembering that. Here does not belong: trying again (that is each client's).
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Patience:
    """`most_tries` bounds every question; `is_spent` says that the last one was given up."""

    most_tries: int | None = None
    is_spent: bool = False

    def tries(self, wanted: int) -> int:
        """How often the next question may be tried."""
        return 1 if self.is_spent else min(wanted, self.most_tries or wanted)


_SHARED: ContextVar[Patience | None] = ContextVar("patience", default=None)


@contextmanager
def shared_patience(most_tries: int | None = None) -> Generator[Patience]:
    """Until it ends, everything asked in this context has one patience. `most_tries` is for people who wait."""
    before = _SHARED.set(Patience(most_tries))
    try:
        yield current_patience()
    finally:
        _SHARED.reset(before)


def current_patience() -> Patience:
    """The patience of this context; a fresh one where nothing is shared."""
    return _SHARED.get() or Patience()
