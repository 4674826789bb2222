"""Which type of GPU a name means: drivers, clusters and clouds call one type by several.

Here belongs: reading the list of names, `gpu_types.yml`. Here does not belong: the names themselves.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.once import read_once

_FILE = Path(__file__).with_name("gpu_types.yml")


class _Type(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    also: tuple[str, ...] = ()
    memory_mib: int | None = Field(default=None, gt=0)


def gpu_types() -> dict[str, str]:
    """The type by the key of each of its names: lower case, blanks for dashes and underscores.

    Raises ValueError when one name stands for two types, or twice.
    """
    found: dict[str, str] = {}
    for entry in _types():
        for name in (entry.type, *entry.also):
            if (key := name_key(name)) in found:
                raise ValueError(f"{_FILE.name}: {name!r} stands for {found[key]!r} already: one of the two must go")
            found[key] = entry.type
    return found


def gpu_memory() -> dict[str, int]:
    """Memory of a GPU in bytes, by type, of those whose memory is known."""
    return {entry.type: entry.memory_mib * 2**20 for entry in _types() if entry.memory_mib}


def _types() -> list[_Type]:
    return TypeAdapter(list[_Type]).validate_python(read_once(_FILE))


def name_key(name: str) -> str:
    """The form in which names are compared; the SQL that joins `gpu_types` makes the same."""
    return name.lower().replace("-", " ").replace("_", " ")
