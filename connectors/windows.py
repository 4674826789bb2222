"""The windows that a night pulls: days for what is measured, calendar months for what is billed.

Here belongs: counting back from the night's day. Here does not belong: how far, which each source's settings say.
"""

from datetime import date, datetime, timedelta

from connectors.base import Window


def midnight(day: date) -> datetime:
    """The first instant of the day, UTC without a zone."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - UTC without a zone, as everywhere in this house


def day_window(day: date) -> Window:
    """The window `[midnight, next midnight)`."""
    return Window(midnight(day), midnight(day + timedelta(days=1)))


def day_windows(day: date, trailing_days: int) -> list[Window]:
    """One window a day: `trailing_days` before `day`, and `day` itself, oldest first."""
    return [day_window(day - timedelta(days=back)) for back in range(trailing_days, -1, -1)]


def month_window(day: date) -> Window:
    """The window `[first of the day's month, first of the next month)`."""
    start = midnight(day.replace(day=1))
    return Window(start, midnight((start + timedelta(days=32)).date().replace(day=1)))


def month_windows(day: date, trailing_months: int, through_day: int) -> list[Window]:
    """The month of `day`; before it, as long as the month is no older than `through_day`, the closed months."""
    windows = [month_window(day)]
    for _ in range(trailing_months if day.day <= through_day else 0):
        windows.insert(0, month_window((windows[0].start - timedelta(days=1)).date()))
    return windows


def utc_text(instant: datetime) -> str:
    """A UTC instant without a zone as services want it: `2026-09-03T00:00:00Z`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
