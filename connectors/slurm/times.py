"""Times of sacct: local ones without a zone, or seconds since 1970; and how long something took.

Where clocks are set back, an hour is written twice: start, end and the seconds between them tell together which one
is meant. Where they are set forward, an hour is missing: a time in it says that the zone is wrong.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.fields import RowError, shown

_NOTHING = frozenset({"", "none", "unknown", "n/a", "0"})
_LASTING = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d\d)(?:\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"\d{9,11}", re.ASCII)
_SLACK = timedelta(seconds=2)


class Span(NamedTuple):
    """When something began and ended, UTC.

    `is_sure` is false where a time could be either of two instants, `fits` where it took another time than is told.
    """

    start: datetime
    end: datetime | None
    is_sure: bool
    fits: bool = True


def is_nothing(found: str | None) -> bool:
    """Whether sacct says that there is none."""
    return found is None or found.strip().lower() in _NOTHING


def lasting(found: str | None, column: str) -> timedelta | None:
    """Seconds, or `[days-]hours:minutes:seconds`; None for none. Raises RowError for anything else."""
    if found is None or found.strip() == "":
        return None
    if found.isdecimal() and len(found) <= 10:
        return timedelta(seconds=int(found))
    if (match := _LASTING.fullmatch(found)) is None or len(found) > 20:
        raise RowError("unreadable_time", f"{column} is {shown(found)}; seconds or D-HH:MM:SS were expected", column)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def span(start: str, end: str | None, took: timedelta | None, zone: ZoneInfo) -> Span:
    """The instants that the times mean, with the seconds between them where sacct tells.

    Raises RowError for what is no time, for one that the zone's clocks never showed, and for an end before the start.
    """
    starts = _instants(start, "Start", zone)
    if end is None:
        return Span(starts[0], None, len(starts) == 1)
    pairs = [(first, last) for first in starts for last in _instants(end, "End", zone) if first <= last]
    if not pairs:
        raise RowError("ends_before_start", f"End {end} is before Start {start}", "End")
    fitting = [pair for pair in pairs if took is None or abs(pair[1] - pair[0] - took) <= _SLACK]
    likely = fitting or [pair for pair in pairs if pair[0] < pair[1]] or pairs
    return Span(*likely[0], len(likely) == 1, bool(fitting))


def _instants(found: str, column: str, zone: ZoneInfo) -> list[datetime]:
    """The instants that a time can mean: one, or two in the hour that clocks show twice."""
    if _EPOCH.fullmatch(found):
        return [datetime.fromtimestamp(int(found), UTC).replace(tzinfo=None)]
    try:
        local = datetime.fromisoformat(found)
    except ValueError:
        local = None
    if local is None or not 2000 <= local.year < 2100 or len(found) < len("2026-10-01T10:00"):
        wanted = "2026-10-01T10:15:00 or seconds since 1970 was expected; is SLURM_TIME_FORMAT set otherwise?"
        raise RowError("unreadable_time", f"{column} is {shown(found)}; {wanted}", column)
    if local.tzinfo is not None:
        return [local.astimezone(UTC).replace(tzinfo=None)]
    instants = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    real = [instant for instant in instants if instant.astimezone(zone).replace(tzinfo=None) == local]
    if not real:
        detail = f"{column} {found}: clocks of {zone.key} never showed it. Correct the setting 'timezone'."
        raise RowError("time_that_never_was", detail, column)
    return sorted({instant.replace(tzinfo=None) for instant in real})
