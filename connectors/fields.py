"""Fields of one JSON row: each is read exactly, or the row is refused in words.

Here belongs: one value under one name. Here does not belong: what a row means, and whole pages.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.exact import at_scale, json_text, read_decimal

JsonRow = Mapping[str, Any]
LONGEST_TEXT = 256
MOST_COUNTED = 10**16  # no organisation's bucket comes near; sums over a year stay within 64 bits


class RowError(ValueError):
    """Why a row cannot be staged. `column` names the field that does not hold; `cost` is what the row says it cost.

    `currency` is that of `cost` where it is another one than the source's.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        column: str | None = None,
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.column = column
        self.cost = cost
        self.currency = currency


def text(row: JsonRow, name: str) -> str | None:
    """The text of a field in one normal form, without control and direction characters; None for none.

    Text beyond 256 characters keeps its beginning and a hash. Raises RowError for what is no text.
    """
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowError("unreadable_text", f"{name} is {shown(value)}; text was expected", name)
    return printable(value) or None


def printable(found: str) -> str:
    """Text that every engine carries and that looks like what it is."""
    if not (found.isascii() and found.isprintable()):
        normal = unicodedata.normalize("NFC", found.encode("utf-8", "replace").decode())
        found = "".join(sign for sign in normal if unicodedata.category(sign) not in {"Cc", "Cf", "Cs"})
    if len(found) > LONGEST_TEXT:
        found = f"{found[: LONGEST_TEXT - 17]}~{hashlib.sha256(found.encode()).hexdigest()[:16]}"
    return found


def count(row: JsonRow, name: str) -> int | None:
    """A whole number from 0 up; None where the field is absent or null. Raises RowError for anything else."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, Decimal) and abs(value) <= MOST_COUNTED and value == value.to_integral_value():
        value = int(value)
    if type(value) is not int or not 0 <= value <= MOST_COUNTED:
        raise RowError("bad_count", f"{name} is {shown(value)}; a whole number from 0 to {MOST_COUNTED} fits", name)
    return value


def amount(row: JsonRow, name: str) -> Decimal | None:
    """A number with all digits that it was written with; None where the field is absent or null.

    Takes a JSON number, or text of one. Raises RowError for anything else, and beyond 26 digits before the point.
    """
    value = row.get(name)
    if value is None:
        return None
    found = read_decimal(str(value)) if isinstance(value, int | Decimal | str) and not isinstance(value, bool) else None
    if found is None:
        raise RowError("unreadable_number", f"{name} is {shown(value)}; a decimal number was expected", name)
    return found


def staged_amount(value: Decimal) -> tuple[Decimal, bool]:
    """The number at the twelve decimal places that staged columns hold, and whether that changed it."""
    try:
        staged = at_scale(value)
    except InvalidOperation:  # 26 nines that round up to a 27th digit
        raise RowError("unreadable_number", f"{value} has more than 26 digits before the point") from None
    return staged, staged != value


def shown(value: object) -> str:
    """A value in a message: short, on one line."""
    words = "nothing" if value is None else printable(json_text(value))
    return words if len(words) <= 80 else f"{words[:77]}..."
