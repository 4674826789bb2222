"""Rules that read what a bill says in its own words: which model a line bills, and what a cost is for."""

import re
from typing import Annotated

import polars as pl
from polars.exceptions import PolarsError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from contracts import contract

_GROUPS = {"model", "token_class"}


def closed_set(table: str, column: str) -> tuple[str, ...]:
    """The values that the contract allows in that column."""
    return next(found.values or () for found in contract(table).columns if found.name == column)


def _known_token_class(name: str) -> str:
    return _one_of(closed_set("prices", "token_class"), "token class", name)


def _known_cost_class(name: str) -> str:
    return _one_of(closed_set("charges", "x_cost_class"), "cost class", name)


def _one_of(known: tuple[str, ...], what: str, name: str) -> str:
    if name not in known:
        raise ValueError(f"is no {what}, expected one of {', '.join(known)}")
    return name


def _compiled(pattern: str) -> str:
    """The pattern, if both engines take it: the one that runs it knows no look-around and no back-references."""
    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except (re.error, PolarsError) as error:
        raise ValueError(
            f"{pattern!r} is no regular expression of the kind without look-around and back-references: {error}"
        ) from None
    return pattern


TokenClass = Annotated[str, AfterValidator(_known_token_class)]
CostClass = Annotated[str, AfterValidator(_known_cost_class)]
Pattern = Annotated[str, AfterValidator(_compiled)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class ModelRule(_Rule):
    """Finds a language model, and its token class, in the words of a bill that has no column for them."""

    column: str = Field(description="FOCUS column to look into, SkuMeter or ChargeDescription say.")
    pattern: Pattern = Field(
        description="Regular expression with the named groups `model` and, if told, `token_class`."
    )
    token_class: TokenClass | None = Field(
        default=None, description="Token class of every match that names none itself."
    )

    @field_validator("pattern")
    @classmethod
    def _names_its_groups(cls, pattern: str) -> str:
        groups = set(re.compile(pattern).groupindex)
        if not groups or groups - _GROUPS:
            raise ValueError(
                f"{pattern!r} must name the groups `model` and `token_class`, or one of them, and no other"
            )
        return pattern


class CostClassRule(_Rule):
    """Says what a cost around the models is for, by the words of the bill."""

    cost_class: CostClass = Field(
        alias="class",
        description="vector_database, observability, egress, re_ranker, embedding, storage, orchestration, guardrail, "
        "evaluation or other.",
    )
    column: str = Field(description="Column to look into: of the file, or of FOCUS.")
    pattern: Pattern = Field(description="Regular expression that is found somewhere in the column's text.")
