"""When a bill's days begin: cases small enough to see the answer."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from models.day_offset import Midnights, midnights


def hours(days: int) -> dict[datetime, Decimal]:
    """Two hours of each day have use: at 3 it changes from day to day, at 12 it is always 100."""
    start = datetime(2026, 10, 1)
    early = {start + timedelta(days=n, hours=3): Decimal(10 + 7 * (n % 4)) for n in range(days + 1)}
    return early | {start + timedelta(days=n, hours=12): Decimal(100) for n in range(days)}


def bill(days: int, found: Midnights, logged: dict[datetime, Decimal] | None = None) -> dict[date, Decimal]:
    """What is billed for October's first days, if they begin as `found` says."""
    all_of_them = [date(2026, 10, 1) + timedelta(days=n) for n in range(days)]
    use = hours(days) if logged is None else logged
    amounts = {
        day: sum((usd for at, usd in use.items() if found.begin(day) <= at < found.end(day)), Decimal(0))
        for day in all_of_them
    }
    return {day: usd for day, usd in amounts.items() if usd}


def half_hours(days: int) -> dict[datetime, Decimal]:
    """Every half hour has use, no two days the same."""
    start = datetime(2026, 9, 30)
    use = {start + timedelta(minutes=30 * n): Decimal(100 + (n * n * 37) % 91) for n in range(48 * (days + 2))}
    return {at: usd * (1 + at.hour % 5) for at, usd in use.items()}


UNMOVED = Midnights()


def test_days_that_begin_with_utc_s_have_no_offset() -> None:
    assert midnights(bill(20, UNMOVED), hours(20)) == UNMOVED


def test_the_offset_is_one_that_puts_every_hour_on_the_bill_s_day() -> None:
    # any midnight after the half hour at 3 and up to the one at 12 does; of whole hours the nearest to UTC's is taken
    assert midnights(bill(20, Midnights(8 * 60)), hours(20)) == Midnights(240)


def test_a_scaled_bill_has_the_same_offset() -> None:
    scaled = {day: usd * Decimal("0.93") for day, usd in bill(20, Midnights(8 * 60)).items()}
    assert midnights(scaled, hours(20)) == Midnights(240)


def test_a_midnight_at_a_half_hour_is_found() -> None:
    # India's days begin five and a half hours before UTC's, those of Newfoundland two and a half hours after them
    for minutes in (-330, 150):
        assert midnights(bill(31, Midnights(minutes), half_hours(31)), half_hours(31)) == Midnights(minutes)


def test_summer_time_that_ends_within_the_month_moves_the_days_after_it() -> None:
    new_york = Midnights(240, date(2026, 10, 18), 300)
    assert midnights(bill(31, new_york, half_hours(31)), half_hours(31)) == new_york


def test_summer_time_that_begins_or_ends_at_utc_s_own_midnight_is_found() -> None:
    london = Midnights(-60, date(2026, 10, 25), 0)
    assert midnights(bill(31, london, half_hours(31)), half_hours(31)) == london


def test_three_days_of_summer_time_are_enough_where_all_others_agree() -> None:
    london = Midnights(0, date(2026, 10, 29), -60)
    assert midnights(bill(31, london, half_hours(31)), half_hours(31)) == london


def test_one_day_that_another_hour_would_explain_is_no_summer_time() -> None:
    use = half_hours(31)
    billed = bill(31, UNMOVED, use)
    billed[date(2026, 10, 31)] += use[datetime(2026, 11, 1, 0)]
    assert midnights(billed, use) == UNMOVED


def test_outages_are_no_summer_time_where_it_would_take_days_away_that_agree() -> None:
    use = half_hours(20)
    billed = bill(20, Midnights(-8 * 60), use)
    # two outages of half a day, around the bill's midnight at 16:00 UTC: of 20 days 16 are the log's to the last token
    outages = [(datetime(2026, 10, 3, 5), 24), (datetime(2026, 10, 6, 5), 25)]
    lost = {at + timedelta(minutes=30 * n) for at, count in outages for n in range(count)}
    logged = {at: usd for at, usd in use.items() if at not in lost}
    lacking = {at.date(): Decimal(0) for at in lost}
    for at in lost:
        lacking[at.date()] += use[at]
    assert midnights(billed, logged, lacking) == Midnights(-8 * 60)


def test_summer_time_is_found_beside_outages_by_the_days_that_agree_to_the_last_token() -> None:
    use = half_hours(24)
    found = Midnights(-8 * 60, date(2026, 10, 13), -9 * 60)
    outages = [(datetime(2026, 10, 3, 5), 24), (datetime(2026, 10, 8, 20), 30), (datetime(2026, 10, 19, 9), 35)]
    lost = {at + timedelta(minutes=30 * n) for at, count in outages for n in range(count)}
    logged = {at: usd for at, usd in use.items() if at not in lost}
    assert midnights(bill(24, found, use), logged) == found


def test_few_days_or_other_noise_are_no_offset() -> None:
    assert midnights(bill(3, Midnights(8 * 60)), hours(3)) == UNMOVED
    noisy = {day: usd + (day.day % 5) * 10 for day, usd in bill(20, UNMOVED).items()}
    assert midnights(noisy, hours(20)) == UNMOVED


def test_days_that_agree_are_not_moved_for_the_sake_of_one_that_does_not() -> None:
    # on the first night much was logged that nobody billed; a day that began at four would be without it
    logged = hours(20)
    logged[datetime(2026, 10, 1, 3)] += 5_000
    assert midnights(bill(20, UNMOVED), logged) == UNMOVED


def test_nothing_billed_or_logged_has_no_offset() -> None:
    assert midnights({}, hours(20)) == UNMOVED
    assert midnights(bill(20, Midnights(8 * 60)), {}) == UNMOVED
