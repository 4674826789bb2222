"""Rows that the log lacks where a bill without tokens has other days than UTC's: moved by hand, found by cost.

Twelve days of 24 hours, a bill whose days begin at eight o'clock UTC, at 0.93 of a dollar for a million tokens.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import FourSides, by_cause

START = datetime(2026, 10, 5)
NIGHT = datetime(2026, 10, 9, 3)
"""Of the bill's 8th."""


def tokens_at(number: int) -> int:
    """100,000 an hour and up to 50,000 more, never alike on two days."""
    return 100_000 + 7_919 * number % 50_021


def a_bill_without_tokens(lost: Mapping[datetime, int], extra: Mapping[date, str], digits: int = 12) -> FourSides:
    """Twelve days of which the log lost so many tokens in some hours; `extra` is billed beside on a day."""
    sides = FourSides()
    sides.price(input_uncached="1")
    billed: Counter[date] = Counter()
    counted: Counter[date] = Counter()
    for number in range(8, 24 * 12 + 8):
        at = START + timedelta(hours=number)
        billed[(at - timedelta(hours=8)).date()] += tokens_at(number)
        counted[at.date()] += tokens_at(number)
        sides.logged(at, input_uncached=tokens_at(number) - lost.get(at, 0))
    for day, tokens in billed.items():
        cost = round(Decimal(tokens) * 93 / 10**8, digits)
        sides.billed(day, "input_uncached", None, cost + Decimal(extra.get(day, 0)))
    for day, tokens in counted.items():
        sides.counted(day, input_uncached=tokens)
    return sides


def by_day(sides: FourSides, cause: str) -> dict[int, Decimal]:
    """USD by day of the month."""
    rows = sides.reconciled().causes.filter(cause=cause)
    return {row["usage_date"].day: row["usd"] for row in rows.iter_rows(named=True)}


def discount() -> Decimal:
    return -sum(tokens_at(number) for number in range(8, 24 * 12 + 8)) * Decimal(7) / 10**8


@pytest.mark.parametrize("digits", [12, 2])
def test_rows_lost_at_night_are_missing_on_the_bill_s_day(digits: int) -> None:
    """90,000 of the 9th, three o'clock: 0.09 dollars of the bill's 8th, on which they are missing."""
    sides = a_bill_without_tokens({NIGHT: 90_000}, {}, digits)
    found = by_cause(sides.reconciled().causes)
    assert set(found) <= {"missing_log", "discount", "day_boundary", "rounding"}
    within = Decimal(0) if digits == 12 else Decimal("0.011")
    assert abs(found["missing_log"] - Decimal("0.09")) <= within
    assert abs(found["discount"] - discount()) <= within
    assert {day for day, usd in by_day(sides, "missing_log").items() if usd > Decimal("0.011")} == {8}


def test_rows_lost_in_several_nights_are_missing_on_each_one_s_day() -> None:
    """The middle day has its own and gives those of the night before: 90,000, 20,000 and 70,000."""
    lost = {NIGHT: 90_000, NIGHT + timedelta(days=1): 20_000, NIGHT + timedelta(days=2, hours=1): 70_000}
    sides = a_bill_without_tokens(lost, {})
    assert by_day(sides, "missing_log") == {8: Decimal("0.09"), 9: Decimal("0.02"), 10: Decimal("0.07")}
    assert by_cause(sides.reconciled().causes)["discount"] == discount()


def test_what_does_not_sum_to_nothing_over_neighbouring_days_is_no_move() -> None:
    """Five cents too much on the 8th: unexplained, beside the discount and beside what moved two days later."""
    lost = {NIGHT + timedelta(days=3): 90_000}
    sides = a_bill_without_tokens(lost, {date(2026, 10, 8): "0.05"})
    assert by_day(sides, "unexplained") == {8: Decimal("0.05")}
    assert by_day(sides, "missing_log") == {11: Decimal("0.09")}


def test_more_than_the_log_lacks_does_not_move() -> None:
    """100,000 tokens more on the 8th and as many less on the 9th, of which the log has every one."""
    sides = a_bill_without_tokens({}, {date(2026, 10, 8): "0.093", date(2026, 10, 9): "-0.093"})
    assert by_day(sides, "unexplained") == {8: Decimal("0.093"), 9: Decimal("-0.093")}
    assert by_day(sides, "missing_log") == {}
