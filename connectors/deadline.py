"""How long a whole delivery may take: the bound of clients whose own patience is for one answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from connectors.base import SourceError

DELIVERY_SECONDS = 7200.0  # of one window
Clock = Callable[[], float]
"""Seconds that only ever grow."""


class DeadlineError(SourceError):
    """A delivery that took too long, and was left."""


@dataclass(frozen=True)
class Deadline:
    """Begins when it is made. A look at it is free: have one before each question."""

    seconds: float
    clock: Clock
    ends: float

    def require(self, where: str) -> None:
        """Raises SourceError when the time is over. `where` says who was asked, and how far it had come."""
        self.require_left(0.0, where)

    def require_left(self, seconds: float, where: str) -> None:
        """Raises SourceError when the time would be over after so many seconds more: better now than after a wait."""
        if self.clock() + seconds > self.ends:
            raise DeadlineError(
                f"{where}: the delivery took longer than {self.seconds / 60:.0f} minutes and was left. Nothing was "
                "committed; run again, and if it stays so, ask for less in one source."
            )


def begin_delivery(clock: Clock = time.monotonic, seconds: float = DELIVERY_SECONDS) -> Deadline:
    """The deadline of a delivery that begins now."""
    return Deadline(seconds, clock, clock() + seconds)
