"""Hours that the log lost are missing rows and no other time zone: months of random hours, with known losses.

What was lost, and what a bill whose days begin later has of it, is added up here from the hours alone.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import PERIOD, FourSides, by_cause

NEXT = date(2026, 11, 1)
START = datetime(2026, 9, 30)
WITHIN = Decimal("0.001")
INCIDENTS = frozenset({2, 5, 7, 10, 13, 16, 19, 21, 26, 29})
Share = Callable[[datetime, random.Random], float]


def in_ten_afternoons(at: datetime, _: random.Random) -> float:
    return at.day in INCIDENTS and 12 <= at.hour < 18


def on_three_nights_a_week(at: datetime, _: random.Random) -> float:
    return at.weekday() in (0, 2, 4) and at.hour < 6


def on_weekday_evenings(at: datetime, _: random.Random) -> float:
    return at.weekday() < 5 and at.hour >= 18


def on_weekday_mornings(at: datetime, _: random.Random) -> float:
    return at.weekday() < 5 and at.hour < 9


def at_the_end_of_every_second_day(at: datetime, _: random.Random) -> float:
    return at.day % 2 and at.hour >= 16


def every_morning(at: datetime, _: random.Random) -> float:
    return 8 <= at.hour < 12


def evenly(_: datetime, chance: random.Random) -> float:
    return chance.uniform(0, 0.1)


def evenly_and_in_ten_afternoons(at: datetime, chance: random.Random) -> float:
    return in_ten_afternoons(at, chance) or evenly(at, chance)


CLUSTERED = (
    in_ten_afternoons,
    on_three_nights_a_week,
    on_weekday_evenings,
    on_weekday_mornings,
)
EVERY_DAY = (every_morning, evenly, evenly_and_in_ten_afternoons)


WITH_API = [(lost, hours) for lost in (*CLUSTERED, *EVERY_DAY) for hours in (0, 8, -5)]
WITHOUT = [(lost, hours) for lost in (*CLUSTERED, evenly) for hours in (0, 8, -5)]
ENDS = [(at_the_end_of_every_second_day, hours) for hours in (0, 8)]
"""Not five hours before UTC's midnight: then no day of the bill has both of its ends in the log."""


class Month:
    """Hours of a month as they happened and as they were logged, its bill and what is to be found in it."""

    def __init__(self, lost: Share, hours: int, seed: int, *, is_counted: bool) -> None:
        chance = random.Random(seed)
        self.sides = FourSides()
        self.sides.price(input_uncached="1")
        billed: Counter[date] = Counter()
        counted: Counter[date] = Counter()
        self.lost: Counter[date] = Counter()
        self.moved: Counter[date] = Counter()
        for number in range(24 * 33):
            at = START + timedelta(hours=number)
            tokens = int(100_000 * chance.uniform(0.5, 1.5) * (1 if 8 <= at.hour < 20 else 0.3))
            logged = tokens - int(tokens * lost(at, chance))
            day = (at - timedelta(hours=hours)).date()
            billed[day] += tokens
            counted[at.date()] += tokens
            self.lost[day] += tokens - logged
            self.moved[day] += logged
            self.moved[at.date()] -= logged
            self.sides.logged(at, input_uncached=logged)
        for number in range(31):
            day = PERIOD + timedelta(days=number)
            self.sides.billed(day, "input_uncached", billed[day], Decimal(billed[day]) / 10**6)
            if is_counted:
                self.sides.counted(day, input_uncached=counted[day])


def of_the_month(tokens: Counter[date]) -> dict[date, Decimal]:
    """Dollars by day, at one a million."""
    return {day: Decimal(count) / 10**6 for day, count in tokens.items() if PERIOD <= day < NEXT and count}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("lost", "hours"), [*WITH_API, *ENDS])
def test_with_a_usage_api_lost_hours_and_moved_days_are_recovered_each(lost: Share, hours: int, seed: int) -> None:
    month = Month(lost, hours, seed, is_counted=True)
    found = month.sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) == {60 * hours}
    causes = by_cause(found.causes)
    missing = sum(of_the_month(month.lost).values(), Decimal(0))
    assert abs(causes.pop("missing_log") - missing) <= WITHIN * missing
    assert set(causes) <= {"day_boundary"}
    boundary = [row for row in found.causes.iter_rows(named=True) if row["cause"] == "day_boundary"]
    assert {row["usage_date"]: row["usd"] for row in boundary} == of_the_month(month.moved)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("lost", "hours"), [*WITHOUT, *ENDS])
def test_without_a_usage_api_lost_hours_are_no_other_time_zone(lost: Share, hours: int, seed: int) -> None:
    month = Month(lost, hours, seed, is_counted=False)
    found = month.sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) == {60 * hours}
    assert by_cause(found.causes)["unexplained"] == sum(of_the_month(month.lost).values(), Decimal(0))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lost", EVERY_DAY)
def test_where_no_day_is_whole_and_nobody_counted_no_time_zone_is_invented(lost: Share, seed: int) -> None:
    found = Month(lost, 0, seed, is_counted=False).sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) == {0}
