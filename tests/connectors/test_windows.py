"""Days and months are counted back from the night's day, without a gap and without an overlap."""

from datetime import date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Window
from connectors.windows import day_windows, month_window, month_windows

days = st.dates(date(2000, 3, 1), date(2099, 12, 30))


def test_a_month_ends_where_the_next_begins_across_years_and_leap_days() -> None:
    assert month_window(date(2026, 12, 24)) == Window(datetime(2026, 12, 1), datetime(2027, 1, 1))
    assert month_window(date(2028, 2, 29)) == Window(datetime(2028, 2, 1), datetime(2028, 3, 1))


def test_closed_months_come_first_and_only_early_in_a_month() -> None:
    january, december = (month_window(date(*found)) for found in ((2027, 1, 1), (2026, 12, 1)))
    assert month_windows(date(2027, 1, 15), 1, 15) == [december, january]
    assert month_windows(date(2027, 1, 16), 1, 15) == [january]
    assert month_windows(date(2027, 1, 15), 0, 31) == [january]


@given(days, st.integers(0, 31))
def test_trailing_days_end_with_the_nights_own(day: date, trailing: int) -> None:
    windows = day_windows(day, trailing)
    assert len(windows) == trailing + 1
    assert windows[-1].slice_date == day
    assert all(before.end == after.start for before, after in pairwise(windows))
    assert all(window.end - window.start == timedelta(days=1) for window in windows)


@given(days, st.integers(0, 2))
def test_trailing_months_end_with_the_nights_own(day: date, trailing: int) -> None:
    windows = month_windows(day, trailing, 31)
    assert len(windows) == trailing + 1
    assert windows[-1].start.date() <= day < windows[-1].end.date()
    assert all(before.end == after.start for before, after in pairwise(windows))
    assert all(window.start.day == window.end.day == 1 for window in windows)
