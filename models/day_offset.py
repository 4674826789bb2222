"""By how many hours the days of a bill begin after UTC's, found by moving the log's hours.

An offset is believed where the days of the bill, moved, are those of the log much better than they are unmoved, and
where they are not the log's already but for a few. Both sides are compared by shape, so that rows missing from the log
do not matter.

Here belongs: finding the offset. Here does not belong: what it costs.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

OFFSETS = range(-14, 13)
"""Every offset of a time zone on earth, in whole hours: a day in New Zealand begins up to 14 hours before UTC's."""

LEAST_DAYS = 4
LEFT_OVER = Decimal("0.7")
"""Share of the unmoved days' mismatch that may be left for an offset to be believed."""

LEAST_GAIN = Decimal("0.002")
"""Share of the bill by which the mismatch must shrink."""

AGREEING_DAYS = Decimal("0.75")
"""Share of the unmoved days that need to be the log's for nothing to be moved, whatever the other days are like."""

AGREES_WITHIN = Decimal("0.001")
"""Share of a day by which it may differ and still be the log's."""

_ONE_HOUR = timedelta(hours=1)


def day_offset(billed: Mapping[date, Decimal], logged: Mapping[datetime, Decimal]) -> int:
    """Hours from UTC's midnight to the beginning of the bill's day; 0 unless the figures say otherwise.

    Args:
        billed: amounts by the bill's day.
        logged: amounts by UTC hour, in the same unit.
    """
    total = sum(billed.values(), Decimal(0))
    if len(billed) < LEAST_DAYS or total <= 0 or not logged:
        return 0
    if _is_unmoved(billed, logged):
        return 0
    mismatch = {offset: _mismatch(billed, logged, offset) for offset in OFFSETS}
    best = min(OFFSETS, key=lambda offset: (mismatch[offset], abs(offset), offset))
    is_better = mismatch[best] <= LEFT_OVER * mismatch[0] and mismatch[0] - mismatch[best] >= LEAST_GAIN * total
    return best if is_better else 0


def _is_unmoved(billed: Mapping[date, Decimal], logged: Mapping[datetime, Decimal]) -> bool:
    """Whether nearly all days are in one proportion to the log's own: a fault of a few days is no matter of time."""
    ratios = sorted(billed[day] / there for day in billed if (there := _of_day(logged, day, 0)))
    if not ratios:
        return False
    usual = ratios[len(ratios) // 2]
    agreeing = sum(abs(ratio - usual) <= AGREES_WITHIN * abs(usual) for ratio in ratios)
    return agreeing >= AGREEING_DAYS * len(billed)


def _mismatch(billed: Mapping[date, Decimal], logged: Mapping[datetime, Decimal], offset: int) -> Decimal:
    """Sum over the days of what the bill differs from the moved log, the log scaled to the bill's total."""
    moved = {day: _of_day(logged, day, offset) for day in billed}
    total = sum(moved.values(), Decimal(0))
    if not total:
        return sum(map(abs, billed.values()), Decimal(0))
    scale = sum(billed.values(), Decimal(0)) / total
    return sum((abs(billed[day] - scale * moved[day]) for day in billed), Decimal(0))


def _of_day(logged: Mapping[datetime, Decimal], day: date, offset: int) -> Decimal:
    start = datetime.combine(day, time()) + offset * _ONE_HOUR
    return sum((logged.get(start + number * _ONE_HOUR, Decimal(0)) for number in range(24)), Decimal(0))
