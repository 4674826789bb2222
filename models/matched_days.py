"""What the same requests cost before and after a day: price, volume and mix apart, and how sure the rest is.

Days after are matched with days before of the same weekday. What a change is credited with is what is left when more
requests, other kinds of requests and the provider's own prices are taken out, so that

    cost after - cost before = volume + mix + price + drift + effect, exactly

- volume: as many more requests at the mean cost before
- mix: a kind's share of the requests; a new kind comes in at its own cost
- price: what prices were on those days, against those that held last before the change
- drift: what requests that the change does not touch did meanwhile; nothing without such a control
- effect: what the requests cost otherwise than expected of them; below zero, a saving

Difference in differences: of the change's requests as much more or less is expected as of the control's.

The interval is Student's, from the days' residuals around their weekday's ratio of cost to requests (the linearised
variance of a ratio estimator: W. G. Cochran, Sampling Techniques, ch. 6), widened by the residuals' correlation from
day to day, (1 + r) / (1 - r). Residuals of a day are summed over change and control first: what hits both, widens
nothing.

Here belongs: the arithmetic on days. Here does not belong: which requests a change touches, what follows from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from models.day_interval import half_width

LEAST_DAYS_OF_A_WEEKDAY = 2
"""A weekday that has a kind of requests once has no residual: its days then count as any day."""
LEAST_DAYS_OF_A_CELL = 7
"""What was asked on fewer days before is new: what it cost then says little."""
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Line:
    """A kind of requests (`cell`) on a day: how many, what they cost, and what at the prices before the change."""

    day: date
    cell: str
    requests: int
    cost: Fraction
    cost_at_old_prices: Fraction


@dataclass(frozen=True)
class Comparison:
    """Matched days before and after; money in the lines' currency, `before` scaled to as many days of each weekday.

    Attributes:
        expected: what the requests after would have cost at the unit costs and prices before, new kinds at their own.
        actual: what they cost at the prices before.
        residuals_before: by day, how far `expected` hangs on it; of no unit but money, in floats.
        residuals_after: by day, the same of `actual`.
        alike: of `actual`, the part that was held against a cost before; the rest is of new kinds of requests.
    """

    days_before: tuple[date, ...]
    days_after: tuple[date, ...]
    requests_before: Fraction
    requests_after: int
    before: Fraction
    after: Fraction
    volume: Fraction
    mix: Fraction
    price: Fraction
    expected: Fraction
    actual: Fraction
    residuals_before: Mapping[date, float]
    residuals_after: Mapping[date, float]
    alike: Fraction


@dataclass(frozen=True)
class Effect:
    """What is credited to a change over its matched days: `effect` and `drift` are exact, the interval is in floats.

    `alike` is that of the comparison, or of its control's where less of that was held against something.
    """

    effect: Fraction
    drift: Fraction
    low: float
    high: float
    alike: Fraction


@dataclass
class _Sum:
    requests: int = 0
    cost: Fraction = _ZERO

    def add(self, line: Line) -> None:
        self.requests += line.requests
        self.cost += line.cost_at_old_prices


def compare(lines: Iterable[Line], before: Sequence[date], after: Sequence[date]) -> Comparison | None:
    """Holds the days after against the days before of the same weekday; weekdays of one side alone are left out.

    None where nothing was asked on one of the sides.
    """
    both = {day.weekday() for day in before} & {day.weekday() for day in after}
    sides = [tuple(sorted(day for day in days if day.weekday() in both)) for days in (before, after)]
    told = [line for line in lines if line.requests]
    was, now = ([line for line in told if line.day in set(days)] for days in sides)
    scale = _scales(*sides)
    asked = sum((scale[line.day.weekday()] * line.requests for line in was), _ZERO)
    count = sum(line.requests for line in now)
    if not asked or not count:
        return None
    paid_before = sum((scale[line.day.weekday()] * line.cost for line in was), _ZERO)
    old_before = sum((scale[line.day.weekday()] * line.cost_at_old_prices for line in was), _ZERO)
    paid_after = sum((line.cost for line in now), _ZERO)
    actual = sum((line.cost_at_old_prices for line in now), _ZERO)
    rates = _Rates(was, least_days=LEAST_DAYS_OF_A_CELL)
    wanted = _wanted(now, rates)
    expected = sum((rates.of(key, requests) for key, requests in wanted.items()), _ZERO)
    new = sum((line.cost_at_old_prices for line in now if rates.key(line) is None), _ZERO)
    expected += new
    volume = old_before * (count / asked - 1)
    return Comparison(
        *sides,
        requests_before=asked,
        requests_after=count,
        before=paid_before,
        after=paid_after,
        volume=volume,
        mix=expected - old_before - volume,
        price=(paid_after - actual) - (paid_before - old_before),
        expected=expected,
        actual=actual,
        residuals_before=_hanging_on(was, wanted, rates),
        residuals_after=_residuals([line for line in now if rates.key(line) is not None]),
        alike=1 - new / actual if actual else Fraction(bool(wanted)),
    )


def _scales(before: Sequence[date], after: Sequence[date]) -> dict[int, Fraction]:
    """By weekday, how many days after there are for one before."""
    counts = [defaultdict[int, int](int), defaultdict[int, int](int)]
    for count, days in zip(counts, (before, after), strict=True):
        for day in days:
            count[day.weekday()] += 1
    return {weekday: Fraction(counts[1][weekday], number) for weekday, number in counts[0].items()}


_Key = tuple[str, int | None]
"""A cell and a weekday; without one, all its days."""


class _Rates:
    """The cost of a request of each cell: of its weekday where that has days enough, else of all its days."""

    def __init__(self, lines: Iterable[Line], least_days: int) -> None:
        self._sums: dict[_Key, _Sum] = defaultdict(_Sum)
        self._days: dict[_Key, set[date]] = defaultdict(set)
        for line in lines:
            for key in ((line.cell, line.day.weekday()), (line.cell, None)):
                self._sums[key].add(line)
                self._days[key].add(line.day)
        self._least_days = least_days

    def key(self, line: Line) -> _Key | None:
        """Which sum a line is held against; None where its cell is new."""
        if len(self._days.get((line.cell, None), ())) < self._least_days:
            return None
        of_weekday = (line.cell, line.day.weekday())
        return of_weekday if len(self._days.get(of_weekday, ())) >= LEAST_DAYS_OF_A_WEEKDAY else (line.cell, None)

    def of(self, key: _Key, requests: int) -> Fraction:
        """What so many requests cost at a sum's rate."""
        total = self._sums[key]
        return total.cost * requests / total.requests

    def part(self, key: _Key, requests: int) -> float:
        """So many requests to a sum's."""
        return requests / self._sums[key].requests


def _wanted(now: Iterable[Line], rates: _Rates) -> dict[_Key, int]:
    """Requests after, by the sum before that they are held against; without those of new cells."""
    found: dict[_Key, int] = defaultdict(int)
    for line in now:
        key = rates.key(line)
        if key is not None:
            found[key] += line.requests
    return found


def _hanging_on(was: Iterable[Line], wanted: Mapping[_Key, int], rates: _Rates) -> dict[date, float]:
    """How far what is expected hangs on each day before: its residual, as often as it is asked for after."""
    found: dict[date, float] = defaultdict(np.float64)
    for line in was:
        for key in ((line.cell, line.day.weekday()), (line.cell, None)):
            if key in wanted:
                residual = line.cost_at_old_prices - rates.of(key, line.requests)
                found[line.day] += _ratio(residual) * rates.part(key, wanted[key])
    return dict(found)


def _residuals(lines: Sequence[Line]) -> dict[date, float]:
    """Each day's cost beyond its cell's own rate."""
    own = _Rates(lines, least_days=1)
    found: dict[date, float] = defaultdict(np.float64)
    for line in lines:
        key = own.key(line)
        if key is not None:
            found[line.day] += _ratio(line.cost_at_old_prices - own.of(key, line.requests))
    return dict(found)


def _ratio(exact: Fraction) -> float:
    return exact.numerator / exact.denominator


def effect(change: Comparison, control: Comparison | None = None) -> Effect | None:
    """What is credited to a change; with a control, beyond what that did. None where the control was to cost nothing.

    The interval holds `CONFIDENCE` of the time, if days are as much alike as those seen.
    """
    growth, alike = _ZERO, change.alike
    parts: list[tuple[Mapping[date, float], float]] = [(change.residuals_after, 1.0)]
    before: list[tuple[Mapping[date, float], float]] = [(change.residuals_before, -1.0)]
    if control is not None:
        if control.expected <= 0 or control.actual <= 0:
            return None
        growth, alike = control.actual / control.expected - 1, min(alike, control.alike)
        would = (growth + 1) * change.expected
        parts.append((control.residuals_after, -_ratio(would / control.actual)))
        before = [(change.residuals_before, -_ratio(growth + 1))]
        before.append((control.residuals_before, _ratio(would / control.expected)))
    drift = growth * change.expected
    credited = change.actual - change.expected - drift
    half = half_width(_summed(before, change.days_before), _summed(parts, change.days_after))
    return Effect(credited, drift, _ratio(credited) - half, _ratio(credited) + half, alike)


def _summed(parts: Iterable[tuple[Mapping[date, float], float]], days: Sequence[date]) -> dict[date, float]:
    """Residuals by day; a day on which nothing was asked of any part says nothing of how much days differ."""
    weighed = list(parts)
    asked = [day for day in days if any(day in residuals for residuals, _ in weighed)]
    return {day: sum(weight * residuals.get(day, 0.0) for residuals, weight in weighed) for day in asked}
