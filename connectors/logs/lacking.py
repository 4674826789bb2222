"""Paths of a mapping that find nothing in rows: which, what the rows have in their place, and what may be meant.

Here belongs: names, never values. Here does not belong: what follows from it (`fitting`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.logs.paths import names_at, value_at
from connectors.names import nearest

Row = Mapping[str, Any]

_MOST_NAMES = 20  # of an object that has a name for each of its customers, say
_LONGEST_NAME = 40


def absent(rows: Sequence[Row], paths: Iterable[str]) -> list[str]:
    """The paths at which no row holds anything."""
    return [path for path in paths if not any(path in row or value_at(row, path) is not None for row in rows)]


def with_meant(names: Iterable[str], there: Iterable[str]) -> str:
    """The names, each with the one that is there and may be meant: `at (is it At?), id`."""
    known = list(there)
    meant = {name: nearest(name, known) for name in names}
    return ", ".join(f"{name} (is it {found}?)" if found else name for name, found in meant.items())


def needed_told(rows: Sequence[Row], lacking: Sequence[str]) -> str:
    """Paths that every row needs and none has, and what the rows have."""
    names = names_there(rows, "")
    return f"{with_meant(lacking, names)}; they have {_listed(names)}" if names else ", ".join(lacking)


def have_told(rows: Sequence[Row], path: str) -> str:
    """What the rows have in the innermost object that the path enters, with the name that may be meant."""
    above, _, last = path.rpartition(".")
    while above and not names_there(rows, above):
        above, _, last = above.rpartition(".")
    names = names_there(rows, above)
    if not names:
        return ""
    meant = nearest(last, names)
    place = f"at {above!r} they have" if above else "they have"
    return f"; {place} {_listed(names)}{f' (is it {meant}?)' if meant else ''}"


def names_there(rows: Iterable[Row], path: str) -> list[str]:
    """The names by which a path may go on from there in some row; of an empty path, the columns."""
    return sorted({name for row in rows for name in names_at(row, path)})


def _listed(names: Sequence[str]) -> str:
    told = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..." for name in names[:_MOST_NAMES]]
    return f"{', '.join(told)}{f' and {len(names) - _MOST_NAMES} more' if len(names) > _MOST_NAMES else ''}"
