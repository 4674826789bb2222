"""What a contract says, and the Arrow schema that follows from it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.made_of import MadeOf

_DECIMAL = re.compile(r"^decimal\((\d{1,2}),(\d{1,2})\)$")
# PascalCase is FOCUS's: its mart has the standard's own names, and x_ before those that the standard does not know
_COLUMN_NAME = r"^([a-z][a-z0-9_]*|(x_)?[A-Z][A-Za-z0-9]*)$"
_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "json": pa.string(),  # an object as text, keys sorted: every engine carries it the same way
    "int64": pa.int64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "double": pa.float64(),  # physical samples and ratios only, never money
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),  # UTC without a zone: the one form that no engine re-interprets
}


class Layer(StrEnum):
    """Where a table stands on the way from a source to a reader."""

    STAGED = "staged"
    REFERENCE = "reference"
    CORE = "core"
    MART = "marts"
    LAKE = "lake"


class Severity(StrEnum):
    """`fail` stops the run before anything is published; `warn` is shown."""

    FAIL = "fail"
    WARN = "warn"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column: its type, unit and meaning."""

    name: str = Field(pattern=_COLUMN_NAME)
    type: str
    description: str
    nullable: bool = False
    unit: str | None = None
    values: tuple[str, ...] | None = Field(
        default=None, description="the only values allowed, if they are a closed set"
    )

    def arrow_type(self) -> pa.DataType:
        """The Arrow type. Raises ValueError for a type that contracts do not know."""
        if match := _DECIMAL.match(self.type):
            return pa.decimal128(int(match[1]), int(match[2]))
        if self.type not in _ARROW:
            known = ", ".join([*_ARROW, "decimal(p,s)"])
            raise ValueError(f"column {self.name}: type {self.type!r} is not one of {known}")
        return _ARROW[self.type]


class Check(_Strict):
    """A rule beyond types, nullability and closed sets. `sql` selects the rows that break it from `{batch}`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    sql: str
    description: str
    severity: Severity = Severity.FAIL


class Contract(_Strict):
    """One table: what a row is, what each column means, what must hold."""

    table: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    layer: Layer
    description: str
    grain: str
    owner: str
    key: tuple[str, ...] = Field(description="columns that together are unique")
    columns: tuple[Column, ...]
    slice: Literal["day", "billing_period", "none"] = "none"
    neighbours: int = Field(default=0, ge=0, le=7, description="days before and after a day that its SQL also reads")
    days_before: Mapping[str, int] = Field(
        default={}, description="tables of which its SQL also reads that many days before a day"
    )
    days_after: Mapping[str, int] = Field(
        default={}, description="tables of which its SQL also reads that many days after a day"
    )
    months_before: Mapping[str, int] = Field(
        default={}, description="tables of which its SQL also reads that many months before a billing period"
    )
    rows_at_once: int | None = Field(
        default=None,
        ge=1,
        description="rows below it that are read together at most, where a row makes many; 1 builds each day by itself "
        "so that it says the same whichever days are built with it",
    )
    materialized: Literal["table", "view", "temporary"] = Field(
        default="table", description="temporary: held by the engine while what reads it is built, and then forgotten"
    )
    published: bool = False
    depends_on: tuple[str, ...] = Field(default=(), description="the tables its SQL reads")
    checks: tuple[Check, ...] = ()
    made_of: MadeOf | None = Field(
        default=None, exclude=True, description="how its figures are explained: no reason to build it again"
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.table}: a column is named twice")
        if missing := [name for name in self.key if name not in names]:
            raise ValueError(f"{self.table}: key columns {missing} are not columns")
        for column in self.columns:
            column.arrow_type()
        return self

    def arrow_schema(self) -> pa.Schema:
        """The table's Arrow schema, columns in the contract's order."""
        return pa.schema([pa.field(c.name, c.arrow_type(), nullable=c.nullable) for c in self.columns])

    @property
    def slice_column(self) -> str | None:
        """The column whose value names the slice that a row of a core table or mart belongs to."""
        if self.slice == "billing_period" and any(column.name == "x_BillingPeriod" for column in self.columns):
            return "x_BillingPeriod"
        return {"day": "usage_date", "billing_period": "billing_period", "none": None}[self.slice]
