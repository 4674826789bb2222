"""Where a value lies in a row: a column's name, or a path with dots through objects, lists and JSON held as text."""

from collections.abc import Mapping
from typing import Any, cast

from connectors.logs.values import json_value


def value_at(row: Mapping[str, Any], path: str) -> object:
    """What the row holds at the path; None for nothing.

    A name that holds dots itself is found first: `gen_ai.usage.input_tokens` may be one column. A number leads into a
    list, and text that holds a JSON object or list is entered like one.
    """
    if path in row:
        return row[path]
    name, dot, rest = path.partition(".")
    while dot:
        if name in row and (found := _inside(row[name], rest)) is not None:
            return found
        more, dot, rest = rest.partition(".")
        name = f"{name}.{more}"
    return None


def names_at(row: Mapping[str, Any], path: str) -> list[str]:
    """The names by which a path may go on from there, the numbers of a list too; of an empty path, the columns."""
    return list(_entered(value_at(row, path)) if path else row)


def _inside(found: object, path: str) -> object:
    return value_at(_entered(found), path)


def _entered(found: object) -> Mapping[str, Any]:
    """What an object, a list or text that is JSON of one holds, by name; nothing of anything else."""
    if isinstance(found, str) and found[:1] in ("{", "["):
        found = json_value(found)
    if isinstance(found, Mapping):
        return cast("Mapping[str, Any]", found)
    if isinstance(found, list):
        return {str(number): item for number, item in enumerate(cast("list[object]", found))}
    return {}
