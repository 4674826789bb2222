"""When the days of a bill begin, as time after UTC's midnight, found by moving the log's half hours.

An offset is believed where the days of the bill, moved, are those of the log much better than they are unmoved, and
where they are not the log's already but for a few. So is a change by one hour within the month, as summer time begins
or ends, where it leaves much less than one offset for all days.

Rows missing from the log must look like no offset. What leaves a day by an offset enters its neighbour, what is lost
enters none. Hence what a usage API has of a UTC day and the log has not is added to the log's day first; days that are
the bill's to the last token decide for their offsets before any average does; and where no days are, half of them must
not be further apart than unmoved. Both sides are compared by shape: what is missing evenly does not matter.

Here belongs: finding the offset. Here does not belong: what it costs.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

IS_EXACT_WITHIN = Decimal("0.000001")
"""The same for a day that is the log's to the last token: a few such days are no chance."""

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


def midnights(
    billed: Mapping[date, Decimal],
    logged: Mapping[datetime, Decimal],
    lacking: Mapping[date, Decimal] | None = None,
) -> Midnights:
    """When the bill's days begin: at UTC's midnight unless the figures say otherwise.

    Args:
        billed: amounts by the bill's day.
        logged: amounts by UTC half hour, in the same unit.
        lacking: what a usage API has of a UTC day and the log has not; nothing where nobody counted.
    """
    unmoved = Midnights()
    total = sum(billed.values(), _ZERO)
    if len(billed) < LEAST_DAYS or total <= 0 or not logged:
        return unmoved
    log = _Sums(logged, lacking or {})
    if _agreeing(billed, log, unmoved) >= AGREEING_DAYS * len(billed):
        return _few_days_moved(billed, log)
    steady = _likely(billed, log, [Midnights(minutes) for minutes in OFFSETS])
    best = min(steady, key=lambda found: (_mismatch(billed, log, found), *_plainness(found.minutes)))
    best = _with_summer_time(billed, log, best)
    return best if unmoved not in steady or _is_better(billed, log, best) else unmoved


def _plainness(minutes: int) -> tuple[int, int, int]:
    """Of offsets that a log by the hour cannot tell apart, the whole hour nearest to UTC's midnight is first."""
    return minutes % 60, abs(minutes), minutes


def _likely(billed: Mapping[date, Decimal], log: "_Sums", candidates: Sequence[Midnights]) -> list[Midnights]:
    """Those at which the most days are the log's to the last token, or nearly as many; all where hardly any are."""
    exact = {found: _agreeing(billed, log, found, IS_EXACT_WITHIN) for found in candidates}
    most = max(exact.values())
    return [found for found in candidates if most < LEAST_DAYS or 2 * exact[found] > most]


def _with_summer_time(billed: Mapping[date, Decimal], log: "_Sums", steady: Midnights) -> Midnights:
    """The same offset, or another one from a day on: where much less is left, or more days are exact."""
    mismatch = _mismatch(billed, log, steady)
    if not mismatch:
        return steady
    near = range(steady.minutes - SUMMER_TIME, steady.minutes + SUMMER_TIME + 1, 30)
    exact = _agreeing(billed, log, steady, IS_EXACT_WITHIN)
    by_exact: dict[int, list[Midnights]] = {}
    for found in _changes(billed, near):
        by_exact.setdefault(_agreeing(billed, log, found, IS_EXACT_WITHIN), []).append(found)
    most = max(by_exact)
    if LEAST_DAYS <= exact > most:  # what takes exact days away only spreads what was lost
        return steady
    changes = by_exact[most] if most >= LEAST_DAYS else [found for group in by_exact.values() for found in group]
    changed = min(changes, key=lambda found: (_mismatch(billed, log, found), found))
    left = _mismatch(billed, log, changed)
    gain = LEAST_GAIN_OF_CHANGE * sum(billed.values(), _ZERO)
    more = _agreeing(billed, log, changed, IS_EXACT_WITHIN) - exact
    is_less = left <= LEFT_OVER * mismatch and mismatch - left >= gain
    return changed if is_less or more >= LEAST_DAYS else steady


def _is_better(billed: Mapping[date, Decimal], log: "_Sums", found: Midnights) -> bool:
    """Whether much less is left than unmoved, and not by what a few days had too much of spread over many."""
    unmoved, left = _mismatch(billed, log, Midnights()), _mismatch(billed, log, found)
    gain = LEAST_GAIN if found.changes_on == date.max else LEAST_GAIN_OF_CHANGE
    is_less = left <= LEFT_OVER * unmoved and unmoved - left >= gain * sum(billed.values(), _ZERO)
    return is_less and _apart(billed, log, found) <= _apart(billed, log, Midnights())


class _Sums:
    """Amounts of stretches of time, from sums since the first half hour, and what each UTC day lacks."""

    def __init__(self, logged: Mapping[datetime, Decimal], lacking: Mapping[date, Decimal]) -> None:
        self._lacking = lacking
        self._first = min(logged)
        count = (max(logged) - self._first) // _HALF_HOUR + 1
        self._until = [_ZERO]
        for number in range(count):
            self._until.append(self._until[-1] + logged.get(self._first + number * _HALF_HOUR, _ZERO))

    def of_day(self, day: date, found: Midnights) -> Decimal:
        """The amount of a day that begins then, with what the UTC day of this name lacks."""
        return self._at(found.end(day)) - self._at(found.begin(day)) + self._lacking.get(day, _ZERO)

    def _at(self, at: datetime) -> Decimal:
        place = (at - self._first) // _HALF_HOUR
        return self._until[min(max(place, 0), len(self._until) - 1)]


def _ratios(billed: Mapping[date, Decimal], log: _Sums, found: Midnights) -> list[Decimal]:
    return sorted(billed[day] / there for day in billed if (there := log.of_day(day, found)))


def _agreeing(billed: Mapping[date, Decimal], log: _Sums, found: Midnights, within: Decimal = AGREES_WITHIN) -> int:
    """How many days are in the same proportion to the log's: a fault of some days is no matter of time."""
    ratios = _ratios(billed, log, found)
    highest = [ratio + 2 * within * abs(ratio) for ratio in ratios]
    return max((bisect_right(ratios, top) - place for place, top in enumerate(highest)), default=0)


def _apart(billed: Mapping[date, Decimal], log: _Sums, found: Midnights) -> Decimal:
    """How far apart the proportions of those days are of which most are alike: of just more than half."""
    ratios = _ratios(billed, log, found)
    half = len(ratios) // 2
    usual = abs(ratios[half]) if ratios else _ZERO
    return min((high - low for low, high in zip(ratios, ratios[half:], strict=False)), default=_ZERO) / (usual or 1)


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
