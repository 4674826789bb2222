"""Values that were withheld at landing: they leave the record, and whoever needed them refuses it."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.logs.attempt import Record, RowError
from connectors.logs.values import WITHHELD


def take_out_withheld(record: dict[str, Any], essential: frozenset[str]) -> list[RowError]:
    """Removes values that were withheld at landing, one refusal each.

    Raises RowError where an essential one was: a path in `essential`, or a field that counts tokens.
    """
    found: list[RowError] = []
    for *places, name in list(_paths(record)):
        path = ".".join((*places, name))  # a field's own name may hold dots, as those of traces do
        refusal = RowError("unreadable_value", f"{path} held another kind of value than it should", path)
        if path in essential or "token" in name.lower():
            raise refusal
        inner = record
        for place in places:
            inner = inner[place]
        del inner[name]
        found.append(refusal)
    return found


def _paths(record: Record, places: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _paths(value, (*places, name))
        elif value == WITHHELD:
            yield (*places, name)
