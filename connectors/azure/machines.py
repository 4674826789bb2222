"""Which machine a line bills: its type, and the one machine of a scale set, from the resource's path and the details.

Here belongs: resource paths and the column AdditionalInfo. Here does not belong: machines of other clouds.
"""

import re
from typing import Any

import orjson

Found = tuple[str | None, ...]
FILLED = ("resource_id", "resource_name", "resource_type", "x_instance_type")
SEPARATOR = "\x1f"
_SCALE_SET = re.compile(r"(.*/virtualmachinescalesets/([^/]+))/?", re.DOTALL)
_TYPE = re.compile(r".*/providers/([^/]+)/([^/]+)/[^/]+", re.DOTALL)
_SIZE = re.compile(r"(Standard|Basic)_[A-Za-z0-9_\-]+")


def read_machine(text: str) -> Found:
    """(resource_id, resource_name, resource_type, x_instance_type) of a line, None for what it does not say.

    Args:
        text: The resource's path, its name and the line's details, joined by `SEPARATOR`.
    """
    path, name, details = [*text.split(SEPARATOR, 2), "", ""][:3]
    path = path.lower().rstrip("/")
    more = _details(details)
    machine, size = _text(more, "VMName"), _text(more, "ServiceType")
    typed = _TYPE.match(path)
    kind = "/".join(typed.groups()) if typed else None
    resource = _instance(path, machine) or path or None
    shown = machine or name or (path.rpartition("/")[2] if path else None)
    return resource, shown or None, kind, size if size and _SIZE.fullmatch(size) else None


def _instance(path: str, machine: str | None) -> str | None:
    """The path of one machine of a scale set: its name is the set's, an underscore and its number there."""
    found = _SCALE_SET.fullmatch(path)
    if found is None or machine is None:
        return None
    head, underscore, number = machine.lower().rpartition("_")
    if not underscore or head != found[2] or not re.fullmatch(r"[0-9a-z]+", number):
        return None
    return f"{found[1]}/virtualmachines/{number}"


def _details(text: str) -> dict[str, Any]:
    for written in (text, f"{{{text}}}"):
        try:
            found = orjson.loads(written)
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _text(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value else None
