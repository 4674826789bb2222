"""Which days a command is about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True)
class Days:
    """The days first..last, both included. `LAST_NIGHT` stands for last night, which only the clock knows."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


LAST_NIGHT = Days(date.min, date.min)


def parse_days(text: str) -> Days:
    """Reads `last`, a day, or `first..last`. Raises ValueError saying what was expected."""
    if text == "last":
        return LAST_NIGHT
    first, dots, last = text.partition("..")
    try:
        days = Days(date.fromisoformat(first), date.fromisoformat(last if dots else first))
    except ValueError:
        raise ValueError(
            f"'{text}' is not a day such as 2026-10-31, nor a range such as 2026-10-01..2026-10-31"
        ) from None
    if days.last < days.first:
        raise ValueError(f"'{text}' runs backwards: the first day must not be after the last")
    return days


def parse_month(text: str) -> date:
    """Reads a month as its first day. Raises ValueError saying what was expected."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ValueError(f"'{text}' is not a month such as 2026-10") from None


def resolved(days: Days, now: datetime) -> Days:
    """`last` as the day before `now`. Raises ValueError for days that have not ended."""
    yesterday = now.date() - timedelta(days=1)
    if days == LAST_NIGHT:
        return Days(yesterday, yesterday)
    if days.last > yesterday:
        raise ValueError(f"{days.last} has not ended (UTC); the last whole day is {yesterday}")
    return days
