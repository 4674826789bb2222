"""Single values as sources write them, read exactly: decimal numbers, instants, JSON. Nothing passes through a float.

Here belongs: reading one value. Here does not belong: whole columns (each format has its own fast way).
"""

import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

WHOLE_DIGITS = 26
ROUNDED = "with more than 12 decimal places were rounded half away from zero"
"""What a delivery says of numbers that `at_scale` changed."""
_PLACES = Decimal("1e-12")


def at_scale(value: Decimal) -> Decimal:
    """The value to twelve decimal places, half away from zero, as the engine rounds that reads native bills.

    Raises InvalidOperation beyond 26 digits before the point.
    """
    with localcontext(prec=WHOLE_DIGITS + 12, rounding=ROUND_HALF_UP):
        return value.quantize(_PLACES) + 0  # adding zero turns -0 into 0


def read_decimal(text: str) -> Decimal | None:
    """The number that a text writes, scientific notation included, or None.

    None for what is no finite number of at most 26 digits before the point, and for separators and currency signs.
    """
    text = text.strip()
    if not text or "_" in text or not text.isascii():
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or value.adjusted() >= WHOLE_DIGITS:
        return None
    return value if value.adjusted() > -100 or not value else None


def read_time(text: str) -> datetime | None:
    """An ISO 8601 instant, with `T` or a blank, `Z`, `UTC`, an offset or none; naive UTC, years 2000 to 2099."""
    text = text.strip().removesuffix("UTC").rstrip()
    try:
        instant = datetime.fromisoformat(text)
        utc = instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
    except (ValueError, OverflowError):
        return None
    return utc if 2000 <= utc.year < 2100 else None


def exact_json(content: bytes) -> Any:
    """What the JSON says; numbers with a fraction or an exponent are Decimal, digit for digit.

    Raises ValueError for what is no JSON, NaN and Infinity included.
    """
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested deeper than any answer") from None


def json_text(found: object) -> str:
    """JSON with sorted keys and without blanks; a Decimal becomes the text of its digits."""
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")
