"""What counters rose by: differences of raw values, restarts taken care of, shared out to intervals.

Never extrapolated. A counter that fell, or whose process started anew, began again at zero: its value is what it rose
by since then, and what it counted between its last reading and the restart is lost. A counter that comes into sight
beside others of its process began at zero, too: engines make some of their counters with the first event.

Here belongs: one counter. Here does not belong: what is counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

_SAME_START_MS = 1000


class Rise(NamedTuple):
    """By how much a counter rose from one instant (milliseconds) to another. `restart` is the instant of one."""

    start: int
    end: int
    amount: float
    restart: int | None = None


@dataclass(frozen=True)
class History:
    """What is known of a process: its instants of readings, oldest first, and when it said to have started at each.

    `since` is the first instant that the delivery can know of.
    """

    instants: Sequence[int]
    starts: Mapping[int, float]
    since: int

    def started(self, instant: int) -> int | None:
        """When the process that was read at the instant had started, in milliseconds."""
        found = self.starts.get(instant)
        return None if found is None else min(round(found), instant)


def rises(points: Mapping[int, float], history: History, before: int | None) -> list[Rise]:
    """The rises of one counter, oldest first.

    Args:
        points: Values by millisecond, oldest first.
        history: Of its process.
        before: The process's reading before the counter's first, at which it did not exist yet.
    """
    found = list[Rise]()
    first = next(iter(points))
    started = history.started(first)
    if before is not None and (started is None or started <= before):
        found.append(Rise(before, first, points[first]))
    elif started is not None and started >= history.since:
        found.append(Rise(started, first, points[first], started if before is not None else None))
    for (start, low), (end, high) in pairwise(points.items()):
        restart = _restart(start, low, end, high, history)
        if restart is None:
            found.append(Rise(start, end, high - low))
        else:
            found.append(Rise(min(max(start, restart), end), end, high, restart))
    return found


def shares(rise: Rise, length: int) -> Iterator[tuple[int, float]]:
    """The rise by intervals of `length` milliseconds: `(first millisecond, amount)`. The amounts sum to the rise.

    All of it where it lies in one interval. Else as the time is shared, whole numbers staying whole: nobody counted
    in between.
    """
    first = rise.start // length * length
    last = max(first, (rise.end - 1) // length * length)
    if first == last:
        yield first, rise.amount
        return
    given, is_whole = 0.0, rise.amount.is_integer()
    for beginning in range(first, last + 1, length):
        until = min(beginning + length, rise.end) - rise.start
        exact = rise.amount * until / (rise.end - rise.start)
        whole = int(rise.amount) * until // (rise.end - rise.start)
        total = float(whole) if is_whole else exact
        yield beginning, total - given
        given = total


def _restart(start: int, low: float, end: int, high: float, history: History) -> int | None:
    """When the counter began anew between two readings; None where it did not."""
    was, now = history.started(start), history.started(end)
    if now is not None and (now > start if was is None else now - was > _SAME_START_MS):
        return now
    return end if high < low else None
