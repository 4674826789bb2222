"""Manifests of deliveries as documents: read once, whole, exactly, or not at all.

Here belongs: getting from bytes to a JSON object, and the words when that fails. Here does not belong: what a
provider's manifest says (each provider's own module).
"""

from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from typing import Any, TypeVar, cast

from connectors.base import Body, IncompleteDeliveryError
from connectors.exact import exact_json

MOST_BYTES = 16 * 1024 * 1024
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, InvalidOperation)
Said = TypeVar("Said")


def read_document(name: str, body: Body, say: Callable[[bytes, Mapping[str, Any]], Said]) -> Said:
    """What `say` makes of a manifest's bytes and of the object in them. Numbers with a fraction are Decimal.

    Raises IncompleteDeliveryError when it cannot be read, or `say` finds what no manifest says (ValueError, TypeError,
    KeyError): nothing is known of the delivery's files then.
    """
    with body.open() as stream:
        content = stream.read(MOST_BYTES + 1)
    try:
        if len(content) > MOST_BYTES:
            raise ValueError("it is larger than 16 MiB")
        found = exact_json(content.removeprefix(b"\xef\xbb\xbf"))
        if not isinstance(found, dict):
            raise TypeError("it holds no JSON object")
        return say(content, cast("Mapping[str, Any]", found))
    except _UNREADABLE as error:
        raise IncompleteDeliveryError(
            f"{name}: the manifest cannot be read ({error}); it may still be written: run the day again, "
            "or have the month exported again"
        ) from None


def listed_names(found: object) -> tuple[str, ...]:
    """The names in a manifest's list of files. Raises TypeError for anything else."""
    if not isinstance(found, list) or not all(isinstance(name, str) for name in cast("list[object]", found)):
        raise TypeError("its files are not a list of names")
    return tuple(cast("list[str]", found))


def counted(found: Mapping[str, Any], name: str) -> int | None:
    """The count under that name; None where there is none. Raises TypeError for what is no count."""
    value = found.get(name)
    if value is not None and (type(value) is not int or value < 0):
        raise TypeError(f"{name} is {value!r}, not a count")
    return value
