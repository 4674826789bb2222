"""Contracts are read from the `sql/` folder beside this package, once per process."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from contracts.contract import Contract
from contracts.once import read_once

_SHAPED_AS = "shaped_as"
_SHAPE = ("layer", "owner", "slice", "key", "columns", "depends_on")

Content = Mapping[str, object]
"""A contract as its file states it."""


def sql_root() -> Path:
    """The folder that holds `<layer>/<table>.yml` and `<layer>/<table>.sql`."""
    return Path(__file__).resolve().parent.parent / "sql"


@cache
def all_contracts() -> dict[str, Contract]:
    """Every contract by table name. Raises ValueError naming the file that does not hold."""
    files = {path: stated(path) for path in sorted(sql_root().glob("*/*.yml"))}
    by_name = {path.stem: content for path, content in files.items()}
    found: dict[str, Contract] = {}
    for path, content in files.items():
        try:
            parsed = Contract.model_validate(shaped(content, by_name))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if path.stem != parsed.table or path.parent.name != parsed.layer:
            raise ValueError(f"{path}: says it is {parsed.layer}/{parsed.table}")
        found[parsed.table] = parsed
    return found


def shaped(content: Content, by_name: Mapping[str, Content]) -> Content:
    """A contract's content, with the shape of the table that it names under `shaped_as`: nothing is said twice.

    The shape is layer, owner, slice, key, columns and what it is built from; what the contract says itself goes first.
    Raises ValueError where that table is not declared, or has its own shape from another.
    """
    own = dict(content)
    name = own.pop(_SHAPED_AS, None)
    if name is None:
        return own
    other = by_name.get(str(name))
    if other is None or _SHAPED_AS in other:
        raise ValueError(f"{_SHAPED_AS} {name!r} is not a table that states its own columns")
    return {key: other[key] for key in _SHAPE if key in other} | own


def stated(path: Path) -> Content:
    """What a contract's file says. Raises ValueError naming the file, and the line of a key that stands twice."""
    found = read_once(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path}: is not a contract: expected `table:` and what follows")  # noqa: TRY004 - a file's fault
    return found


def contract(table: str) -> Contract:
    """One table's contract. Raises KeyError when no such table is declared."""
    return all_contracts()[table]
