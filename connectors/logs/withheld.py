"""Values that were withheld at landing: they leave the record, and whoever needed them refuses it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from connectors.logs.attempt import Record, RowError
from connectors.logs.values import WITHHELD

_NO_FORMS: Mapping[str, str] = MappingProxyType({})
_UNTOLD = "what stood there was not kept, look at the row itself"


def take_out_withheld(
    record: dict[str, Any], essential: frozenset[str], forms: Mapping[str, str] = _NO_FORMS
) -> list[RowError]:
    """Removes values that were withheld at landing, one refusal each.

    `forms` say of fields what was expected there, with the remedy; see `connectors.logs.forms`.
    Raises RowError where an essential one was: a path in `essential`, or a field that counts tokens.
    """
    found: list[RowError] = []
    for *places, name in list(_paths(record)):
        path = ".".join((*places, name))  # a field's own name may hold dots, as those of traces do
        said = f"{path} held another kind of value than it should: {forms.get(path, _UNTOLD)}"
        refusal = RowError("unreadable_value", said, path)
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
