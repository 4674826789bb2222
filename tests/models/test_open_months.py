"""Which month is the current one, by hand: one rule for budgets, what-ifs and what a gateway is given."""

from datetime import date

import pytest

from models.open_months import current_month, is_over, open_months, shown_months

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("settled", "newest", "current"),
    [
        (date(2026, 10, 20), date(2026, 10, 22), OCTOBER),
        (date(2026, 10, 29), date(2026, 10, 31), OCTOBER),  # no day of November is told, whatever the calendar says
        (date(2026, 10, 30), date(2026, 11, 1), NOVEMBER),  # October is open still, and no longer the current month
        (date(2026, 10, 31), date(2026, 10, 31), NOVEMBER),  # October is over
        (date(2024, 2, 28), date(2024, 2, 29), date(2024, 2, 1)),
        (date(2024, 2, 29), date(2024, 3, 2), date(2024, 3, 1)),
        (date(2026, 12, 31), date(2027, 1, 2), date(2027, 1, 1)),
    ],
)
def test_the_current_month_is_the_newest_open_one(settled: date, newest: date, current: date) -> None:
    assert current_month(("cost", month) for month in open_months(settled, newest)) == current


def test_bills_say_which_month_it_is_and_logs_only_where_no_bill_does() -> None:
    """Logs settle a day sooner: on the first of a month they are a month ahead."""
    assert current_month([("cost", OCTOBER), ("tokens", OCTOBER), ("tokens", NOVEMBER)]) == OCTOBER
    assert current_month([("tokens", OCTOBER), ("outcome_cost", NOVEMBER)]) == NOVEMBER
    assert current_month([]) is None


def test_budgets_are_shown_from_the_oldest_open_month_to_the_newest_that_is_told() -> None:
    """A budget of tokens that were never logged calls every month open, and a log is ahead of its bill."""
    never_over = [date(2026, 1, 1), SEPTEMBER, OCTOBER, NOVEMBER, OCTOBER]
    assert shown_months(never_over, [("cost", OCTOBER), ("tokens", NOVEMBER)]) == [OCTOBER, NOVEMBER]
    assert shown_months(never_over, [("cost", OCTOBER)]) == [OCTOBER]
    assert shown_months(never_over, [("cost", NOVEMBER), ("cost", OCTOBER)]) == [OCTOBER, NOVEMBER]
    assert shown_months([OCTOBER, SEPTEMBER], []) == [SEPTEMBER, OCTOBER]


def test_a_month_is_over_with_its_last_settled_day() -> None:
    assert [is_over(OCTOBER, day) for day in (date(2026, 10, 30), date(2026, 10, 31))] == [False, True]
    assert not is_over(OCTOBER, None)
