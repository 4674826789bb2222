"""How the mart `focus_cost_and_usage` stands to FOCUS: read from `focus.yml` beside this module, once per process."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.load import contract
from contracts.once import read_once

_FILE = Path(__file__).with_name("focus.yml")
FOCUS = "focus_cost_and_usage"
OWN = "x_"
"""What the standard wants before the name of a column that it does not know."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FocusColumn(_Strict):
    """One column: where its value is from, which versions have it, and on which rows they allow no NULL."""

    source: str = Field(alias="from")
    since: str | None = None
    until: str | None = None
    needs: str | None = None
    is_optional: bool = False
    rule: str | None = None
    draft: str | None = None

    def is_in(self, version: str) -> bool:
        """Whether that version of the standard has the column. Versions are one digit, a point and another."""
        return (self.since or version) <= version <= (self.until or version)


class FocusMapping(_Strict):
    """The whole mapping, columns in the contract's order: the standard's first, in its order, then Farthing's own."""

    versions: tuple[str, ...]
    columns: Mapping[str, FocusColumn]
    own_columns: Mapping[str, FocusColumn]

    @model_validator(mode="after")
    def _is_of_the_contract(self) -> Self:
        named, declared = [*self.columns, *self.own_columns], [column.name for column in contract(FOCUS).columns]
        if named != declared:
            differing = sorted(set(named) ^ set(declared)) or "the order"
            raise ValueError(f"contracts/focus.yml and sql/marts/{FOCUS}.yml differ in {differing}")
        return self

    def is_left_out(self, name: str, *, is_told: bool) -> bool:
        """Whether a file goes without the column, as nobody tells it on any row."""
        column = self.columns.get(name)
        return column is not None and column.is_optional and not is_told

    def names(self, version: str) -> dict[str, str]:
        """The mart's columns in the order of an export, each with its name in that version.

        First the standard's own, then what it does not know, with x_ before it. A column that it no longer has is
        left out: the one that took its place has its value.

        Raises:
            ValueError: the version is none of `versions`.
        """
        if version not in self.versions:
            raise ValueError(f"FOCUS {version} is not known; known are {', '.join(self.versions)}")
        known = {name: name for name, column in self.columns.items() if column.is_in(version)}
        later = {name: OWN + name for name, column in self.columns.items() if (column.since or version) > version}
        return {**known, **later, **{name: name for name in self.own_columns}}


@cache
def focus_mapping() -> FocusMapping:
    """The mapping. Raises ValueError where it is not one, or does not fit the contract."""
    return FocusMapping.model_validate(read_once(_FILE))
