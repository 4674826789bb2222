"""When the days of a bill begin, as time after UTC's midnight, found by moving the log's half hours.

An offset is believed where the days of the bill, moved, are those of the log much better than they are unmoved, and
where they are not the log's already but for a few. So is a change by one hour within the month, as summer time begins
or ends, where it leaves much less than one offset for all days. Both sides are compared by shape, so that rows missing
from the log do not matter.

Here belongs: finding the offset. Here does not belong: what it costs.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

OFFSETS = range(-14 * 60, 12 * 60 + 1, 30)
"""Every offset of a time zone on earth, in half hours: a day in New Zealand begins up to 14 hours before UTC's."""

SUMMER_TIME = 60
"""By how many minutes clocks are changed."""

LEAST_DAYS = 4
LEFT_OVER = Decimal("0.7")
"""Share of the unmoved days' mismatch that may be left for an offset to be believed."""

LEAST_GAIN = Decimal("0.002")
"""Share of the bill by which the mismatch must shrink."""

LEAST_GAIN_OF_CHANGE = Decimal("0.0002")
"""The same for a change within the month: an hour at midnight is little."""

AGREEING_DAYS = Decimal("0.75")
"""Share of the unmoved days that need to be the log's for nothing to be moved, whatever the other days are like."""

AGREES_WITHIN = Decimal("0.001")
"""Share of a day by which it may differ and still be the log's."""

_HALF_HOUR = timedelta(minutes=30)
_ZERO = Decimal(0)


class Midnights(NamedTuple):
    """When days begin: minutes after UTC's midnight, other ones from a day on."""

    minutes: int = 0
    changes_on: date = date.max
    minutes_after: int = 0

    @property
    def are_moved(self) -> bool:
        """Whether any day begins at another time than UTC's."""
        return bool(self.minutes or (self.changes_on < date.max and self.minutes_after))

    @property
    def most_minutes(self) -> int:
        """The furthest that any day is moved by."""
        changed = abs(self.minutes_after) if self.changes_on < date.max else 0
        return max(abs(self.minutes), changed)

    def minutes_on(self, day: date) -> int:
        """Minutes from UTC's midnight to the beginning of the bill's day."""
        return self.minutes_after if day >= self.changes_on else self.minutes

    def begin(self, day: date) -> datetime:
        """When the bill's day begins, in UTC."""
        return datetime.combine(day, time()) + timedelta(minutes=self.minutes_on(day))

    def end(self, day: date) -> datetime:
        """When the next one does."""
        return self.begin(day + timedelta(days=1))


def midnights(billed: Mapping[date, Decimal], logged: Mapping[datetime, Decimal]) -> Midnights:
    """When the bill's days begin: at UTC's midnight unless the figures say otherwise.

    Args:
        billed: amounts by the bill's day.
        logged: amounts by UTC half hour, in the same unit.
    """
    unmoved = Midnights()
    total = sum(billed.values(), _ZERO)
    if len(billed) < LEAST_DAYS or total <= 0 or not logged:
        return unmoved
    log = _Sums(logged)
    if _agreeing(billed, log, unmoved) >= AGREEING_DAYS * len(billed):
        return _few_days_moved(billed, log)
    steady = [Midnights(minutes) for minutes in OFFSETS]
    mismatch = {found: _mismatch(billed, log, found) for found in steady}
    best = min(steady, key=lambda found: (mismatch[found], abs(found.minutes), found.minutes))
    if mismatch[best]:
        near = range(best.minutes - SUMMER_TIME, best.minutes + SUMMER_TIME + 1, 30)
        changed = min(_changes(billed, near), key=lambda found: (_mismatch(billed, log, found), found))
        left = _mismatch(billed, log, changed)
        if left <= LEFT_OVER * mismatch[best] and mismatch[best] - left >= LEAST_GAIN_OF_CHANGE * total:
            best, mismatch[changed] = changed, left
    is_better = mismatch[best] <= LEFT_OVER * mismatch[unmoved]
    gain = LEAST_GAIN if best.changes_on == date.max else LEAST_GAIN_OF_CHANGE
    return best if is_better and mismatch[unmoved] - mismatch[best] >= gain * total else unmoved


class _Sums:
    """Amounts of stretches of time, from sums since the first half hour."""

    def __init__(self, logged: Mapping[datetime, Decimal]) -> None:
        self._first = min(logged)
        count = (max(logged) - self._first) // _HALF_HOUR + 1
        self._until = [_ZERO]
        for number in range(count):
            self._until.append(self._until[-1] + logged.get(self._first + number * _HALF_HOUR, _ZERO))

    def of_day(self, day: date, found: Midnights) -> Decimal:
        """The amount of a day that begins then."""
        return self._at(found.end(day)) - self._at(found.begin(day))

    def _at(self, at: datetime) -> Decimal:
        place = (at - self._first) // _HALF_HOUR
        return self._until[min(max(place, 0), len(self._until) - 1)]


def _agreeing(billed: Mapping[date, Decimal], log: _Sums, found: Midnights) -> int:
    """How many days are in the usual proportion to the log's: a fault of a few days is no matter of time."""
    ratios = sorted(billed[day] / there for day in billed if (there := log.of_day(day, found)))
    if not ratios:
        return 0
    usual = ratios[len(ratios) // 2]
    return sum(abs(ratio - usual) <= AGREES_WITHIN * abs(usual) for ratio in ratios)


def _few_days_moved(billed: Mapping[date, Decimal], log: _Sums) -> Midnights:
    """Of days that are nearly all the log's, the others: moved only if summer time makes every day agree."""
    unmoved = Midnights()
    before = _agreeing(billed, log, unmoved)
    if before == len(billed):
        return unmoved
    near = (0, SUMMER_TIME, -SUMMER_TIME)
    changes = (found for found in _changes(billed, near) if 0 in (found.minutes, found.minutes_after))
    best = max(changes, key=lambda found: (_agreeing(billed, log, found), found))
    return best if _agreeing(billed, log, best) == len(billed) > before + 1 else unmoved


def _changes(billed: Mapping[date, Decimal], offsets: Iterable[int]) -> Iterator[Midnights]:
    """Summer time beginning or ending on any day, from one of these offsets."""
    for minutes in offsets:
        for day in sorted(billed)[1:]:
            for after in (minutes - SUMMER_TIME, minutes + SUMMER_TIME):
                if after in OFFSETS:
                    yield Midnights(minutes, day, after)


def _mismatch(billed: Mapping[date, Decimal], log: _Sums, found: Midnights) -> Decimal:
    """Sum over the days of what the bill differs from the moved log, the log scaled to the bill's total."""
    moved = {day: log.of_day(day, found) for day in billed}
    total = sum(moved.values(), _ZERO)
    if not total:
        return sum(map(abs, billed.values()), _ZERO)
    scale = sum(billed.values(), _ZERO) / total
    return sum((abs(billed[day] - scale * moved[day]) for day in billed), _ZERO)
