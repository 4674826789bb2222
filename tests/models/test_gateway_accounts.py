"""Which accounts a log speaks of, and when a bill's days begin: cases small enough to see the answer."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from models.day_offset import day_offset
from models.gateway_accounts import in_the_log, most_alike

MONDAY, TUESDAY = date(2026, 10, 5), date(2026, 10, 6)
Used = Mapping[str, Mapping[tuple[str, date], int]]


def test_an_account_is_the_log_s_when_half_of_its_tokens_are_there() -> None:
    logged = {("m", MONDAY): 50}
    assert in_the_log({"half": {("m", MONDAY): 100}}, logged) == {"half"}
    assert in_the_log({"less": {("m", MONDAY): 101}}, logged) == set()


def test_what_the_largest_account_used_is_no_evidence_for_a_smaller_one() -> None:
    used: Used = {"gateway": {("m", MONDAY): 1000}, "direct": {("m", MONDAY): 20}}
    assert in_the_log(used, {("m", MONDAY): 950}) == {"gateway"}


def test_a_model_that_the_log_has_does_not_make_a_day_that_it_has_not() -> None:
    used: Used = {"direct": {("m", TUESDAY): 100}}
    assert in_the_log(used, {("m", MONDAY): 1000}) == set()


def test_several_accounts_can_be_the_log_s() -> None:
    used: Used = {"one": {("m", MONDAY): 600}, "two": {("m", MONDAY): 300, ("n", MONDAY): 100}}
    assert in_the_log(used, {("m", MONDAY): 900, ("n", MONDAY): 100}) == {"one", "two"}


def test_days_on_which_the_log_has_nothing_are_no_evidence_against_anybody() -> None:
    used: Used = {
        "gateway": {("m", MONDAY): 600, ("m", TUESDAY): 60},
        "other": {("m", MONDAY): 400, ("m", TUESDAY): 40},
    }
    assert in_the_log(used, {("m", TUESDAY): 100}) == {"gateway", "other"}


def test_a_log_is_most_alike_who_used_most_of_its_models() -> None:
    used: Used = {"one": {("m", MONDAY): 900}, "two": {("m", MONDAY): 30, ("n", MONDAY): 200}}
    assert most_alike(used, {("m", MONDAY): 100, ("n", MONDAY): 50}) == {"one"}
    assert most_alike(used, {("elsewhere", MONDAY): 100}) == set()


def test_an_account_without_use_is_not_the_log_s() -> None:
    assert in_the_log({"idle": {}}, {("m", MONDAY): 10}) == set()


def hours(days: int) -> dict[datetime, Decimal]:
    """Two hours of each day have use: at 3 it changes from day to day, at 12 it is always 100."""
    start = datetime(2026, 10, 1)
    early = {start + timedelta(days=n, hours=3): Decimal(10 + 7 * (n % 4)) for n in range(days + 1)}
    return early | {start + timedelta(days=n, hours=12): Decimal(100) for n in range(days)}


def bill(days: int, offset: int) -> dict[date, Decimal]:
    found: dict[date, Decimal] = {}
    for at, usd in hours(days).items():
        day = (at - timedelta(hours=offset)).date()
        if date(2026, 10, 1) <= day < date(2026, 10, 1) + timedelta(days=days):
            found[day] = found.get(day, Decimal(0)) + usd
    return found


def test_days_that_begin_with_utc_s_have_no_offset() -> None:
    assert day_offset(bill(20, 0), hours(20)) == 0


def test_the_offset_is_one_that_puts_every_hour_on_the_bill_s_day() -> None:
    # any midnight after the hour at 3 and up to the one at 12 does; the nearest to UTC's is taken
    assert day_offset(bill(20, 8), hours(20)) == 4


def test_a_scaled_bill_has_the_same_offset() -> None:
    scaled = {day: usd * Decimal("0.93") for day, usd in bill(20, 8).items()}
    assert day_offset(scaled, hours(20)) == 4


def test_few_days_or_other_noise_are_no_offset() -> None:
    assert day_offset(bill(3, 8), hours(3)) == 0
    noisy = {day: usd + (day.day % 5) * 10 for day, usd in bill(20, 0).items()}
    assert day_offset(noisy, hours(20)) == 0


def test_days_that_agree_are_not_moved_for_the_sake_of_one_that_does_not() -> None:
    # on the first night much was logged that nobody billed; a day that began at four would be without it
    logged = hours(20)
    logged[datetime(2026, 10, 1, 3)] += 5_000
    assert day_offset(bill(20, 0), logged) == 0


def test_nothing_billed_or_logged_has_no_offset() -> None:
    assert day_offset({}, hours(20)) == 0
    assert day_offset(bill(20, 8), {}) == 0
