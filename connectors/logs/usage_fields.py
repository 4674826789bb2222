"""Reading fields of a usage object: what is absent, null or of another kind is none of it.

Here belongs: what every family's reader needs. Here does not belong: what a field means.
"""

from collections.abc import Mapping
from typing import Any, cast

from connectors.logs.buckets import UsageError, token_count

Usage = Mapping[str, Any]
_NOTHING: Usage = {}


def inner(usage: Usage, *names: str) -> Usage:
    """The object inside, under the first of the names that has one; empty where none has."""
    for name in names:
        if isinstance(found := usage.get(name), dict):
            return cast("Usage", found)
    return _NOTHING


def items(usage: Usage, *names: str) -> list[Usage]:
    """The objects of the list inside, under the first of the names that has one."""
    for name in names:
        if isinstance(found := usage.get(name), list):
            return [cast("Usage", item) for item in cast("list[object]", found) if isinstance(item, dict)]
    return []


def part(usage: Usage, name: str) -> int:
    """A part that the usage may leave out: then there is none of it. Raises UsageError for what is no count."""
    value = usage.get(name)
    return 0 if value is None else token_count(value, name) or 0


def most(*counts: int) -> int:
    """The one count that stands in several places, of which some stay zero."""
    return max(counts)


def without(whole: int, inside: int, column: str) -> int:
    """What is left of the whole for a column. Raises UsageError where more is inside than the whole."""
    if inside > whole:
        raise UsageError("parts_exceed_total", f"{column}: {inside} of {whole} are counted elsewhere", column)
    return whole - inside
