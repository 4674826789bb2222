"""Contracts are read from the `sql/` folder beside this package, once per process."""

from functools import cache
from pathlib import Path

import yaml

from contracts.contract import Contract

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, ten times as fast


def sql_root() -> Path:
    """The folder that holds `<layer>/<table>.yml` and `<layer>/<table>.sql`."""
    return Path(__file__).resolve().parent.parent / "sql"


@cache
def all_contracts() -> dict[str, Contract]:
    """Every contract by table name. Raises ValueError naming the file that does not hold."""
    found: dict[str, Contract] = {}
    for path in sorted(sql_root().glob("*/*.yml")):
        try:
            parsed = Contract.model_validate(yaml.load(path.read_text(encoding="utf-8"), _LOADER))  # noqa: S506 - it is a safe one
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if path.stem != parsed.table or path.parent.name != parsed.layer:
            raise ValueError(f"{path}: says it is {parsed.layer}/{parsed.table}")
        found[parsed.table] = parsed
    return found


def contract(table: str) -> Contract:
    """One table's contract. Raises KeyError when no such table is declared."""
    return all_contracts()[table]
