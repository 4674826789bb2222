"""What a unit of provisioned throughput serves, by model.

Here belongs: reading the list, `provisioned_units.yml`. Here does not belong: the figures themselves.
"""

from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.once import read_once
from models.provisioned import UnitTerms

Scope = Literal["global", "regional"]
SCOPES: tuple[Scope, ...] = ("global", "regional")
_FILE = Path(__file__).with_name("provisioned_units.yml")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Sold(_Entry):
    fewest: int
    step: int


class _Units(_Entry):
    models: tuple[str, ...]
    tokens_per_minute: int
    output_weight: int
    in_all: _Sold = Field(alias="global")
    regional: _Sold


@cache
def unit_terms(scope: Scope) -> dict[str, UnitTerms]:
    """The terms of a unit by model, for deployments of that scope."""
    found: dict[str, UnitTerms] = {}
    for entry in TypeAdapter(list[_Units]).validate_python(read_once(_FILE)):
        sold = entry.in_all if scope == "global" else entry.regional
        terms = UnitTerms(
            entry.tokens_per_minute, Fraction(entry.output_weight), Fraction(0), fewest=sold.fewest, step=sold.step
        )
        found |= dict.fromkeys(entry.models, terms)
    return found


@cache
def terms_by_scope() -> dict[str, dict[str, UnitTerms]]:
    """The terms of a unit by how far its deployment reaches, in the words of bills and lists, and by model."""
    return {"Global": unit_terms("global"), "Data Zone": unit_terms("global"), "Regional": unit_terms("regional")}
