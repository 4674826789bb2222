"""Single fields of AWS's answers: what has to be there, instants, and numbers that passed through AWS's client.

Here belongs: what `connectors.fields` does not have. Here does not belong: what a record means.
"""

from datetime import datetime
from decimal import Decimal

from connectors.exact import read_time
from connectors.fields import JsonRow, RowError, amount, shown, staged_amount, text

_SURE_DIGITS = 15  # a number of so many digits comes back from a float digit for digit

PAYMENT_OPTIONS = {"All Upfront": "all_upfront", "Partial Upfront": "partial_upfront", "No Upfront": "no_upfront"}


def needed_text(row: JsonRow, name: str) -> str:
    """The text of a field. Raises RowError where there is none."""
    found = text(row, name)
    if found is None:
        raise RowError("missing_value", f"{name} is missing", name)
    return found


def instant(row: JsonRow, name: str) -> datetime:
    """An instant. Raises RowError for anything else."""
    value = row.get(name)
    found = read_time(value) if isinstance(value, str) else None
    if found is None:
        raise RowError("unreadable_time", f"{name} is {shown(value)}; an instant was expected", name)
    return found


def needed_amount(row: JsonRow, name: str) -> Decimal:
    """A number at the scale of staged columns. Raises RowError where there is none."""
    value = amount(row, name)
    if value is None:
        raise RowError("missing_value", f"{name} is missing", name)
    return staged_amount(value)[0]


def float_amount(row: JsonRow, name: str) -> Decimal:
    """A number that AWS's client gave as a float: exact as long as it has no more digits than a float holds.

    Raises RowError where it has more, or where there is none.
    """
    value = amount(row, name)
    if value is not None and len(value.normalize().as_tuple().digits) > _SURE_DIGITS:
        raise RowError("inexact_number", f"{name} is {value}; more than {_SURE_DIGITS} digits are not sure", name)
    return needed_amount(row, name)


def payment_option(row: JsonRow, name: str) -> str:
    """How a commitment is paid. Raises RowError for what is none of the three ways."""
    found = needed_text(row, name)
    if found not in PAYMENT_OPTIONS:
        raise RowError("unknown_payment", f"{name} is {shown(found)}; expected {', '.join(PAYMENT_OPTIONS)}", name)
    return PAYMENT_OPTIONS[found]
