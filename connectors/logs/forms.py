"""What a value of a mapped field should look like, in words for who mends the mapping, and what stands there instead.

Here belongs: the expected form, the remedy, and how a value is shown that could be anything. Here does not belong: what
is let through (`values`) and what is refused.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from connectors.exact import read_decimal
from connectors.logs.instants import FIRST_SECOND, LAST_SECOND, PER_SECOND, Unit, microseconds

TEXT = "a short text or a whole number was expected; map a path that leads to one"
WHOLE_NUMBER = "a whole number was expected, such as 1000, without separators"
DECIMAL = "a decimal number was expected, such as 0.000215, with a point and without a sign of the currency"
LIST = "a list of texts was expected"
OBJECT = "an object was expected, or JSON text of one"
_EXAMPLES: Mapping[str, str] = {
    "s": "1795226400.25", "ms": "1795226400250", "us": "1795226400250000", "ns": "1795226400250000000",
}  # fmt: skip
_DIGITS_AND_SIGNS = re.compile(r"[0-9/.:,+TZeE -]{1,40}", re.ASCII)
_LONGEST_FORM = 40
_LAST_WRITABLE = 253_402_300_800  # the second after which a year has five digits
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone is the house's form


def example_instant(unit: Unit) -> str:
    """A plausible instant as a log writes it in that unit."""
    return _EXAMPLES.get(unit, "2026-11-21T02:00:00")


def truth_form(name: str) -> str:
    """What a field of truth should hold, and how a log's own words are explained."""
    return f"true or false was expected; say what its words mean with words: {{{name}: {{WORD: true, ...}}}}"


def instant_form(unit: Unit) -> str:
    """What an instant looks like in that unit, and what to set where the log writes it otherwise."""
    if unit == "iso":
        return (
            "time_unit: iso expects ISO 8601, such as 2026-11-21T02:00:00Z (UTC where no zone is named), or a number "
            "of seconds since 1970. Where the log writes digits since 1970, set time_unit to s, ms, us or ns; any "
            "other form has to become ISO 8601 before it is delivered"
        )
    return (
        f"time_unit: {unit} expects a number since 1970, such as {_EXAMPLES[unit]}. Set time_unit to what the log "
        "counts (s, ms, us or ns), or to iso where it writes ISO 8601"
    )


def unread_instant(name: str, path: str, unit: Unit, value: object) -> str:
    """Why the value at `path` gives field `name` no instant, and which `time_unit` would read it, if one does."""
    if value is None:
        return f"fields.{name} takes it from {path!r}, and the row has nothing there; correct the path"
    found = f"{path!r} is {shown(value)}"
    if meant := _unit_of(value):
        day = _day_of(_seconds(meant, value))
        return f"{found}, which time_unit: {unit} {_read_as(unit, value)}; did you mean time_unit: {meant} ({day})?"
    if unit == "iso" and (day := _day_in_another_unit(value)):
        return (
            f"{found}, before any log was written; its numbers seem to count another unit than the column says ({day} "
            "then): write the column in its own unit, or as a number with time_unit"
        )
    return f"{found}, which time_unit: {unit} {_read_as(unit, value)}; {instant_form(unit)}"


def shown(value: object) -> str:
    """The value where it is a number, or a text of digits as dates and amounts are; of all else only the form.

    What stands in a field by mistake could be a prompt or a name: of that no letter is repeated.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value) if len(str(value)) <= _LONGEST_FORM else "a very long number"
    if isinstance(value, str):
        if _DIGITS_AND_SIGNS.fullmatch(value):
            return repr(value) if read_decimal(value) is None else value
        form = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value[:_LONGEST_FORM]))
        return f"a text of the form {form!r}{', and longer' if len(value) > _LONGEST_FORM else ''}"
    return "a list" if isinstance(value, list | tuple) else "an object"


def _read_as(unit: Unit, value: object) -> str:
    seconds = _seconds(unit, value)
    if seconds is None:
        return "does not read"
    return f"reads as {_day_of(seconds)}; instants of 2015 to 2099 are taken"


def _seconds(unit: str, value: object) -> Decimal | None:
    """Seconds since 1970, plausible or not; None for what the unit does not read at all."""
    if isinstance(value, bool):
        return None
    number = read_decimal(str(value))
    if unit == "iso":
        return _seconds_of_text(value) if isinstance(value, str) else number
    return None if number is None else number / PER_SECOND[unit]


def _seconds_of_text(text: str) -> Decimal | None:
    try:
        return Decimal((datetime.fromisoformat(text).replace(tzinfo=None) - _EPOCH) // timedelta(seconds=1))
    except ValueError:
        return None


def _unit_of(value: object) -> str | None:
    """The unit in which the number, or the text of one, is a plausible instant: at most one, as they are far apart."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    number = read_decimal(str(value))
    if number is None:
        return None
    return next((unit for unit, per in PER_SECOND.items() if FIRST_SECOND <= number / per < LAST_SECOND), None)


def _day_in_another_unit(value: object) -> date | None:
    """The day of an early instant whose number was meant in a coarser unit: seconds kept as milliseconds, say."""
    seconds = _seconds_of_text(value) if isinstance(value, str) and microseconds(value) is None else None
    times = [10**3, 10**6, 10**9] if seconds is not None and seconds > 0 else []
    plausible = [seconds * by for by in times if seconds is not None and FIRST_SECOND <= seconds * by < LAST_SECOND]
    return _EPOCH.date() + timedelta(seconds=int(plausible[0])) if plausible else None


def _day_of(seconds: Decimal | None) -> str:
    if seconds is None:
        return "nothing"
    if not -_LAST_WRITABLE // 10 < seconds < _LAST_WRITABLE:
        return "a year beyond 9999" if seconds > 0 else "a year long ago"
    return str((_EPOCH + timedelta(seconds=int(seconds))).date())
