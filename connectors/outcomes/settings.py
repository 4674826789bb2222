"""Settings of outcomes in fields of their own: which field says what, and where the rows lie."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.base import SourceSettings
from connectors.logs.instants import Unit
from connectors.logs.settings import StoredRowsSettings
from connectors.logs.words import TRUTHS, Words, wrong_words
from connectors.names import nearest
from connectors.postgres_settings import PostgresSettings
from connectors.settings_rules import refusal_of

Sort = Literal["text", "person", "instant", "flag", "number"]

_BY_SORT: Mapping[Sort, str] = {
    "text": "outcome_id outcome_kind result trace_id operation_id entity_id",
    "person": "user_hash customer_hash",
    "instant": "occurred_at",
    "flag": "is_success",
    "number": "quality_value",
}
SORTS: Mapping[str, Sort] = MappingProxyType({name: sort for sort, names in _BY_SORT.items() for name in names.split()})
"""Every field of an outcome that a mapping can fill, and the sort of value that it holds."""

NEEDED = ("outcome_id", "occurred_at", "outcome_kind")  # without which nothing can be counted
_MEANINGS: Mapping[str, tuple[str, ...]] = {"outcome_kind": (), "result": (), "is_success": TRUTHS}
_CONSTANT = ("outcome_kind", "result", "is_success")


def _known_fields(fields: dict[str, str]) -> dict[str, str]:
    for name, path in fields.items():
        if name not in SORTS:
            found = nearest(name, SORTS)
            advice = f"did you mean {found!r}?" if found else f"the fields are {', '.join(sorted(SORTS))}"
            raise ValueError(f"{name!r} is no field of an outcome; {advice}")
        if not path.strip():
            raise ValueError(f"{name}: the path is empty; leave the line out")
    return fields


def _readable_constants(constants: dict[str, str | bool]) -> dict[str, str | bool]:
    for name, value in constants.items():
        if name not in _CONSTANT:
            raise ValueError(f"{name}: no two outcomes share it; take it from a field of the rows with `fields`")
        if (SORTS[name] == "flag") != isinstance(value, bool):
            raise ValueError(
                f"{name} is {value!r}; {'true or false' if SORTS[name] == 'flag' else 'a text'} belongs there"
            )
    return constants


class Mapped(SourceSettings):
    """What an outcome's fields are called where it lies."""

    fields: Annotated[dict[str, str], AfterValidator(_known_fields)] = Field(
        description="Field of an outcome on the left; on the right the column, or a path with dots through objects: "
        "`outcome_id: ticket.id`."
    )
    constants: Annotated[dict[str, str | bool], AfterValidator(_readable_constants)] = Field(
        default={},
        description="Field of an outcome on the left, on the right what every row has there: "
        "`outcome_kind: ticket-resolved`.",
    )
    words: Words = Field(
        default={},
        description="What the source's words are in yours, by field: `is_success: {yes: true, no: false}`, "
        "`result: {closed: resolved}`.",
    )
    time_unit: Unit = Field(
        default="iso", description="How instants are written: ISO 8601 (UTC where it names no zone), or since 1970."
    )
    hash_key: SecretStr = Field(
        min_length=16,
        description="Key of the hashes that stand for users and customers, 16 characters or more: the gateway log's "
        "own, or they do not meet.",
    )
    trailing_days: int = Field(
        default=7, ge=0, le=31, description="Days before the night's own that are read again: outcomes are told late."
    )

    @model_validator(mode="after")
    def _says_what_an_outcome_needs(self) -> Self:
        if lacking := [name for name in NEEDED if name not in {*self.fields, *self.constants}]:
            raise ValueError(
                f"fields: {', '.join(lacking)} is needed: name the field that says it; where all rows are of one kind, "
                "constants: {outcome_kind: ...}"
            )
        if both := sorted(set(self.fields) & set(self.constants)):
            raise ValueError(f"{', '.join(both)}: both a field and a constant; which one counts?")
        return self

    @model_validator(mode="after")
    def _translates_what_it_reads(self) -> Self:
        if wrong := wrong_words(self.words, {name: of for name, of in _MEANINGS.items() if name in self.fields}):
            raise refusal_of(wrong)
        return self


class OutcomesFileSettings(Mapped, StoredRowsSettings):
    """Outcomes in files: JSON lines, JSON, CSV or Parquet, plain or gzip."""

    delimiter: Literal[",", ";", "\t", "|"] = Field(default=",", description="Sign between the columns of a CSV.")

    @property
    def own_columns(self) -> frozenset[str]:
        """Columns without which a table does not hold these outcomes."""
        return frozenset(path for name in NEEDED if (path := self.fields.get(name)) and "." not in path)


class OutcomesSqlSettings(Mapped, PostgresSettings):
    """Outcomes in a table or view of a PostgreSQL database."""

    table: str = Field(min_length=1, description="Table or view that holds one row for each event.")
    table_schema: str = Field(default="public", min_length=1, description="Its schema.")

    @model_validator(mode="after")
    def _time_is_one(self) -> Self:
        if self.time_unit != "iso":
            raise ValueError("time_unit: the database itself compares instants: map a column of a time, or make a view")
        return self
