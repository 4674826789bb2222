"""Lists of nodes as Slurm writes them: `gpu[01-03,07],login1` and `rack[1-2]n[1-4]`."""

import itertools
import re

from connectors.fields import RowError, shown

_MOST_NODES = 20_000
_PART = re.compile(r"[^\[\],]+|\[[^\[\]]*\]")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


def node_names(found: str) -> list[str]:
    """The names, in the list's order; none where nothing was assigned. Raises RowError for what is no such list."""
    if found.strip().lower() in ("", "none", "none assigned", "(null)", "unknown"):
        return []
    names = list[str]()
    for entry in _entries(found):
        parts = [_range(part[1:-1], found) if part.startswith("[") else [part] for part in _PART.findall(entry)]
        if "".join(_PART.findall(entry)) != entry or not parts:
            raise _unreadable(found)
        names += ("".join(one) for one in itertools.islice(itertools.product(*parts), _MOST_NODES + 1))
        if len(names) > _MOST_NODES:
            raise RowError("too_many_nodes", f"NodeList {shown(found)} names more than {_MOST_NODES:,}", "NodeList")
    return list(dict.fromkeys(names))


def _entries(found: str) -> list[str]:
    """What commas outside of brackets separate."""
    return re.split(r",(?![^\[]*\])", found.strip())


def _range(inside: str, found: str) -> list[str]:
    numbers = list[str]()
    for piece in inside.split(","):
        match = _RANGE.fullmatch(piece)
        if match is None:
            raise _unreadable(found)
        first, last = match[1], match[2] or match[1]
        if int(last) - int(first) > _MOST_NODES:
            raise RowError("too_many_nodes", f"NodeList {shown(found)} names more than {_MOST_NODES:,}", "NodeList")
        numbers += (str(number).zfill(len(first)) for number in range(int(first), int(last) + 1))
    return numbers


def _unreadable(found: str) -> RowError:
    return RowError("unreadable_nodes", f"NodeList is {shown(found)}; a list such as gpu[01-03,07] fits", "NodeList")
