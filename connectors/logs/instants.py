"""Points in time as the log writes them: seconds since 1970, or UTC text with or without a zone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from connectors.exact import read_decimal
from connectors.logs.values import instant

Unit = Literal["iso", "s", "ms", "us", "ns"]
"""How a log writes instants: ISO 8601, or as a number since 1970."""
PER_SECOND: Mapping[str, int] = MappingProxyType({"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9})

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone is the house's form
_MICROSECOND = timedelta(microseconds=1)
FIRST_SECOND = 1_420_070_400  # 2015-01-01: no gateway logged before; catches 0 and unset clocks
LAST_SECOND = 4_102_444_800  # 2100-01-01: catches milliseconds written as seconds


def microseconds(value: object) -> int | None:
    """Microseconds since 1970 in UTC; None for what is no plausible point in time.

    Numbers are seconds, rounded to the nearest microsecond: a double near 2e9 holds a quarter of one.
    Text without a zone is UTC, as in the column type of SpendLogs (timestamp(3) without time zone).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return round(value * 1_000_000) if FIRST_SECOND <= value < LAST_SECOND else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    found = (moment - _EPOCH) // _MICROSECOND
    return found if FIRST_SECOND <= found // 1_000_000 < LAST_SECOND else None


def in_unit(unit: Unit, value: object) -> int | None:
    """Microseconds since 1970 of an instant that is written in that unit; None for what is no plausible one."""
    if value is None or isinstance(value, bool):
        return None
    if unit == "iso":
        return microseconds(value if instant(value) == value else None)
    number = read_decimal(str(value))
    return None if number is None else microseconds(float(number / PER_SECOND[unit]))


def day_of(instant_us: int) -> date:
    """The UTC day that holds the instant."""
    return date.fromordinal(719_163 + instant_us // 86_400_000_000)


def instant_of(moment: datetime) -> int:
    """Microseconds since 1970 of a naive UTC datetime."""
    return (moment - _EPOCH) // _MICROSECOND
