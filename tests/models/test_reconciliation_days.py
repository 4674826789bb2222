"""A bill whose days are not UTC's: what the reconciliation makes of it, worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from models.day_offset import Midnights
from models.reconciliation_cells import Cell
from models.reconciliation_prices import OtherPrice
from models.reconciliation_sides import Key
from tests.models.four_sides import PERIOD, FourSides, by_cause, in_millionths


def test_a_bill_by_another_midnight_is_a_boundary_of_days(sides: FourSides) -> None:
    """Ten thousand tokens at the start of each UTC day, growing by a thousand; the bill's days begin eight hours later."""
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        early, late = 10_000 + 7_000 * (number % 3), 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=early)
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        tokens = late + 10_000 + 7_000 * ((number + 1) % 3)
        sides.billed(midnight.date(), "input_uncached", tokens, Decimal(tokens) * 3 / 10**6)
        sides.counted(midnight.date(), input_uncached=early + late)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=10_000 + 7_000 * (31 % 3))
    found = sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) <= set(range(150, 781))
    assert by_cause(found.causes).keys() == {"day_boundary"}
    moved = {row["usage_date"]: row["usd"] for row in found.causes.iter_rows(named=True)}
    # each day lost its early hours and got the next day's: 7,000 more twice, 14,000 less once
    assert [moved[PERIOD + timedelta(days=number)] for number in range(3)] == [
        Decimal("0.021"),
        Decimal("0.021"),
        Decimal("-0.042"),
    ]


def test_requests_without_a_price_keep_no_bill_from_another_midnight(sides: FourSides) -> None:
    """The same days; each has 10,000 to 60,000 tokens of its late hours in a tier without a price, at 10 a million."""
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        early, late = 10_000 + 7_000 * (number % 3), 100_000 + 1_000 * number
        unpriced = 10_000 + 10_000 * (number * 5 % 6)
        sides.logged(midnight + timedelta(hours=2), input_uncached=early)
        sides.logged(midnight + timedelta(hours=15), input_uncached=late - unpriced)
        sides.logged(midnight + timedelta(hours=15), tier="priority", input_uncached=unpriced)
        tokens = late + 10_000 + 7_000 * ((number + 1) % 3)
        cost = Decimal(tokens - unpriced) * 3 / 10**6 + Decimal(unpriced) / 10**5
        sides.billed(midnight.date(), "input_uncached", tokens, cost)
        sides.counted(midnight.date(), input_uncached=early + late)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=10_000 + 7_000 * (31 % 3))
    found = sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) <= set(range(150, 781))
    # 35,000 on average of 30 days, and 10,000; 10,000 early tokens are September's, and 17,000 came from November
    assert by_cause(found.causes) == {"day_boundary": Decimal("0.021"), "unpriced": Decimal("10.6")}


def test_requests_without_a_price_are_so_on_the_bill_s_day_that_they_move_to(sides: FourSides) -> None:
    """Every fifth day has 5,000 early tokens without a price, at 10 a million: they stand on the bill's day before.

    Seven of the bill's days have them, the last one those of 1 November: 7 x 0.05, and no day's boundary is worth
    them. Of those with a price 5,000 early ones were September's and 12,000 came from November, at 3 a million.
    """
    for number in range(32):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        early, late = 5_000 + 7_000 * (number % 3), 100_000 + 1_000 * number
        unpriced, next_unpriced = (5_000 if each % 5 == 1 else 0 for each in (number, number + 1))
        sides.logged(midnight + timedelta(hours=2), input_uncached=early)
        sides.logged(midnight + timedelta(hours=2), tier="priority", input_uncached=unpriced)
        if number == 31:
            break
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        priced = late + 5_000 + 7_000 * ((number + 1) % 3)
        cost = Decimal(priced) * 3 / 10**6 + Decimal(next_unpriced) / 10**5
        sides.billed(midnight.date(), "input_uncached", priced + next_unpriced, cost)
        sides.counted(midnight.date(), input_uncached=early + unpriced + late)
    found = sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) <= set(range(150, 781))
    assert by_cause(found.causes) == {"day_boundary": Decimal("0.021"), "unpriced": Decimal("0.35")}


def test_a_moved_bill_that_counts_no_tokens_has_the_usage_api_s_moved_as_the_log_s_are(sides: FourSides) -> None:
    """Nine hundred tokens are missing from the log of the fourth; the bill stands at 90 % of the price."""
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        early, late = 10_000 + 7_000 * (number % 3), 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=early)
        lost = 900 if number == 3 else 0
        sides.logged(midnight + timedelta(hours=15), input_uncached=late - lost)
        tokens = late + 10_000 + 7_000 * ((number + 1) % 3)
        sides.billed(midnight.date(), "input_uncached", None, Decimal(tokens) * 27 / 10**7)
        sides.counted(midnight.date(), input_uncached=early + late)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=10_000 + 7_000 * (31 % 3))
    found = sides.reconciled()
    causes = by_cause(found.causes)
    assert causes.keys() == {"day_boundary", "missing_log", "discount"}
    assert causes["missing_log"] == Decimal("0.0027")
    # the first day's 10,000 early ones went to September, and 17,000 came from November
    assert causes["day_boundary"] == Decimal("0.021")


def test_a_price_that_changes_within_a_moved_day_leaves_every_cause_its_worth() -> None:
    """The bill's day of the 16th has 8 hours of the 17th. At noon of the 16th the price falls from 3 to 2 dollars."""
    sides, change = FourSides(), datetime(2026, 10, 16, 12)
    sides.price(input_uncached="3", cache_read="0.001", until=change)
    sides.price(input_uncached="2", cache_read="0.001", since=change)
    early = [10_000 + 7_000 * (number % 3) for number in range(32)]
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        late = 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=early[number])
        # 20,000 of the 16th's morning are not in the log, and 1,000 are there twice
        lost, twice = (20_000, 1_000) if number == 15 else (0, 0)
        morning = 40_000 - lost + twice
        sides.logged(midnight + timedelta(hours=10), input_uncached=morning, duplicate_input_uncached=twice)
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        prices = [2 if midnight + timedelta(hours=hour) >= change else 3 for hour in (10, 15, 26)]
        parts = (40_000, late, early[number + 1])
        cost = sum((Decimal(tokens * usd) for tokens, usd in zip(parts, prices, strict=True)), Decimal(0)) / 10**6
        sides.billed(midnight.date(), "input_uncached", sum(parts), cost)
        sides.counted(midnight.date(), input_uncached=early[number] + 40_000 + late)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=early[31])
    for number in range(31):  # the bill writes nine decimals
        noon = datetime(2026, 10, 1, 12) + timedelta(days=number)
        sides.billed(noon.date(), "cache_read", 1, "0.000000001")
        sides.counted(noon.date(), cache_read=1)
        sides.logged(noon, cache_read=1)
    found = in_millionths(sides.reconciled())
    # the first early hours, at 3 dollars, are the month's before; those of the next month's first day cost 2
    boundary = Decimal(early[31] * 2 - early[0] * 3) / 10**6
    assert found == {"missing_log": Decimal("0.06"), "duplicate": Decimal("-0.003"), "day_boundary": boundary}


def test_a_price_billed_too_long_does_not_hide_when_the_bill_s_days_begin() -> None:
    sides, cheaper = FourSides(), datetime(2026, 10, 11)
    sides.price(input_uncached="6", until=cheaper)
    sides.price(input_uncached="3", since=cheaper)
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        late = 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=10_000 + 7_000 * (number % 3))
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        tokens = late + 10_000 + 7_000 * ((number + 1) % 3)
        usd_per_mtok = 6 if number < 14 else 3  # four days longer than the price book has it
        sides.billed(midnight.date(), "input_uncached", tokens, Decimal(tokens) * usd_per_mtok / 10**6)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=10_000 + 7_000 * (31 % 3))
    assert set(sides.reconciled().lines["day_offset_minutes"]) <= set(range(150, 781))


def test_a_model_that_nobody_bills_says_nothing_of_when_days_begin(sides: FourSides) -> None:
    """Little on the bill, changing from day to day; much of another model on the first night in the log."""
    sides.price("other", input_uncached="3")
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        tokens = 100_000 + 10_000 * (number % 4)
        sides.logged(midnight + timedelta(hours=9), input_uncached=tokens)
        billed = tokens + (5_000 if number == 6 else 0)  # one day is billed with more than was logged
        sides.billed(midnight.date(), "input_uncached", billed, Decimal(billed) * 3 / 10**6)
    # a bill whose days began between three and nine would have nothing of it
    sides.logged(datetime(2026, 10, 1, 3), "other", input_uncached=14_000_000)
    found = sides.reconciled()
    assert set(found.lines["day_offset_minutes"]) == {0}
    assert by_cause(found.causes) == {"not_billed": Decimal(-42), "unexplained": Decimal("0.015")}


@pytest.mark.parametrize(
    "begins",
    [Midnights(-330), Midnights(240, date(2026, 10, 18), 300)],
    ids=["in India", "in New York as summer time ends"],
)
def test_a_bill_by_half_hours_or_with_summer_time_is_a_boundary_of_days_and_nothing_else(
    sides: FourSides, begins: Midnights
) -> None:
    """Every half hour has other tokens; 4,000 of one afternoon are not in the log."""
    start = datetime(2026, 9, 30)
    times = [start + timedelta(minutes=30 * number) for number in range(48 * 33)]
    used = {at: (100 + number * number * 37 % 91) * 10 * (1 + at.hour % 5) for number, at in enumerate(times)}
    lost = datetime(2026, 10, 7, 15)
    used[lost] += 4_000
    for at, tokens in used.items():
        sides.logged(at, input_uncached=tokens - (4_000 if at == lost else 0))
        sides.log[-1] |= {"usage_hour": at.replace(minute=0), "price_from": at}
    for number in range(31):
        day = PERIOD + timedelta(days=number)
        tokens = sum(count for at, count in used.items() if begins.begin(day) <= at < begins.end(day))
        sides.billed(day, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6)
        sides.counted(day, input_uncached=sum(count for at, count in used.items() if at.date() == day))
    found = sides.reconciled()
    offsets = dict(zip(found.lines["usage_date"], found.lines["day_offset_minutes"], strict=True))
    assert offsets == {day: begins.minutes_on(day) for day in offsets}
    by_name = by_cause(found.causes)
    assert by_name.keys() <= {"day_boundary", "missing_log"}
    assert by_name["missing_log"] == Decimal("0.012")


def test_a_day_on_which_summer_time_ends_has_25_hours() -> None:
    """From 22 o'clock UTC to 23 o'clock the day after: a price that ends at half past 22 does not hold throughout."""
    cell = Cell(Key(date(2026, 10, 25), "openai", "gateway", "m", "input_uncached"))
    cell.offset, cell.next_offset = timedelta(hours=-2), timedelta(hours=-1)
    charge = cell.as_charge
    assert (charge.begins, charge.ends) == (datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 23))
    since = datetime(2026, 1, 1)
    holds = {
        until: OtherPrice(Decimal(1), False, "default", since, until).holds(charge)
        for until in (datetime(2026, 10, 25, 22, 30), datetime(2026, 10, 25, 23))
    }
    assert list(holds.values()) == [False, True]
