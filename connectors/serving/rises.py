"""What counters rose by: differences of raw values, restarts taken care of, shared out to intervals.

Never extrapolated. A counter whose process started anew, or that fell to less than half, began again at zero: its
value is what it rose by since then, and what it counted between its last reading and the restart is lost. Any other
fall is a dip: two scrapers take turns, and one lags behind. Then it rose by what its highest reading gained. A counter
that comes into sight beside others of its process began at zero, too: engines make some of their counters with the
first event.

Here belongs: one counter. Here does not belong: what is counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

_SAME_START_MS = 1000
_DIP_READINGS = 3


class Rise(NamedTuple):
    """By how much a counter rose from one instant (milliseconds) to another. `restart` is the instant of one."""

    start: int
    end: int
    amount: float
    restart: int | None = None


@dataclass(frozen=True)
class History:
    """What is known of a process, in milliseconds: its instants of readings, oldest first; its start as told at each.

    `since` is the first instant that the delivery can know of.
    """

    instants: Sequence[int]
    starts: Mapping[int, int]
    since: int


def rises(points: Mapping[int, float], history: History, before: int | None) -> list[Rise]:
    """The rises of one counter, oldest first; a time in which it stood still has none.

    Args:
        points: Values by millisecond, oldest first.
        history: Of its process.
        before: The process's reading before the counter's first, at which it did not exist yet.
    """
    found, told = list[Rise](), history.starts.get
    first = next(iter(points))
    started = told(first)
    if before is not None and (started is None or started <= before):
        found.append(Rise(before, first, points[first]))
    elif started is not None and started >= history.since:
        found.append(Rise(started, first, points[first], started if before is not None else None))
    readings = list(points.items())
    top = points[first]
    for place, ((start, _), (end, high)) in enumerate(pairwise(readings), start=1):
        was, started = started, told(end)
        restart = _restart(start, was, end, started)
        following = readings[place : place + 1 + _DIP_READINGS]
        if restart is None and high < top and _began_again(following, top, was, started):
            restart = end
        if restart is not None:
            found.append(Rise(min(max(start, restart), end), end, high, restart))
            top = high
        elif high > top:
            found.append(Rise(start, end, high - top))
            top = high
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


def _restart(start: int, was: int | None, end: int, now: int | None) -> int | None:
    """When the process started anew between two readings, by what it said at them; None where it did not."""
    if now is None or (now <= start if was is None else now - was <= _SAME_START_MS):
        return None
    return min(now, end)


def _began_again(readings: Sequence[tuple[int, float]], top: float, was: int | None, now: int | None) -> bool:
    """Whether a counter that fell below its highest reading began again at zero; else it dipped.

    Args:
        readings: the one that fell, and the next ones.
        top: the highest one before.
        was: the process's start as told before the fall.
        now: the same as told with it: it did not start anew, as far as both tell.

    A fall to half or more is a dip: no engine counts so much between two readings. Deeper it is a restart, if nobody
    tells the process's start, or if it stays low: engines set counters to zero with a model that they load anew.
    """
    if readings[0][1] * 2 >= top:
        return False
    if was is None or now is None:
        return True
    return len(readings) > _DIP_READINGS and all(value < top for _, value in readings)
