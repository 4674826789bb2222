"""Settings of a FOCUS source: where the bills lie, how the months are found, and what they are expected to hold."""

import re
from datetime import date
from string import Formatter
from typing import Annotated, Literal, Self

import polars as pl
from polars.exceptions import PolarsError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.base import StoredSourceSettings
from contracts import contract

ANY_LAYOUT = "any"
_GROUPS = {"model", "token_class"}


def _known_class(name: str) -> str:
    """The closed set of token classes is that of the price book's contract."""
    known = next(column.values or () for column in contract("prices").columns if column.name == "token_class")
    if name not in known:
        raise ValueError(f"is no token class, expected one of {', '.join(known)}")
    return name


TokenClass = Annotated[str, AfterValidator(_known_class)]


class ModelRule(BaseModel):
    """Finds a language model, and its token class, in the words of a bill that has no column for them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    column: str = Field(description="FOCUS column to look into, SkuMeter or ChargeDescription say.")
    pattern: str = Field(description="Regular expression with the named groups `model` and, if told, `token_class`.")
    token_class: TokenClass | None = Field(
        default=None, description="Token class of every match that names none itself."
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            groups = set(re.compile(pattern).groupindex)
            pl.Series([""]).str.extract_groups(pattern)
        except (re.error, PolarsError) as error:
            raise ValueError(
                f"{pattern!r} is no regular expression of the kind without look-around and back-references: {error}"
            ) from None
        if not groups or groups - _GROUPS:
            raise ValueError(
                f"{pattern!r} must name the groups `model` and `token_class`, or one of them, and no other"
            )
        return pattern


class FocusSettings(StoredSourceSettings):
    """FOCUS bills (1.0 to 1.4) as CSV, CSV.gz or Parquet, in a folder or in an object store."""

    kind: str = Field(default="focus", pattern="^focus$", description="Which connector reads it.")
    location: str = Field(
        min_length=1, description="Folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix."
    )
    layout: str | None = Field(
        default=None,
        description="Path pattern of a month's files, such as `billing_period={year}-{month:02}/*`; `any` reads all "
        "files and picks rows by their billing period; left out, the first YYYY-MM or YYYYMM in a path counts.",
    )
    manifests: Literal["all", "last"] = Field(
        default="all",
        description="`last`: each delivery of a month lies in a folder of its own; only the last path counts.",
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Rows in any other currency are refused.")
    provider: str | None = Field(default=None, description="Provider name of rows that name none.")
    trailing_months: int = Field(
        default=1, ge=0, le=2, description="Closed months that are pulled again early in a month."
    )
    restated_through_day: int = Field(
        default=15, ge=1, le=31, description="Last day of the month on which the trailing months are pulled again."
    )
    excess_precision: Literal["reject", "round"] = Field(
        default="reject", description="What becomes of a billed or effective cost with more than 12 decimal places."
    )
    models: tuple[ModelRule, ...] = Field(
        default=(), description="Rules that find models; the first that matches wins."
    )

    @model_validator(mode="after")
    def _layout_names_the_month(self) -> Self:
        if self.layout in {None, ANY_LAYOUT}:
            return self
        try:
            fields = {name for _, name, _, _ in Formatter().parse(self.layout or "") if name is not None}
            if fields == {"year", "month"}:
                self.month_pattern(date(2026, 9, 1))
                return self
        except ValueError:
            pass  # an odd format specification: the same advice helps
        raise ValueError(
            f"layout {self.layout!r} must hold {{year}} and {{month}}, as in 'period={{year}}-{{month:02}}/*'"
        )

    def month_pattern(self, month: date) -> str:
        """The layout with the month filled in: a shell pattern, in which `*` also crosses folders."""
        return (self.layout or "").format(year=month.year, month=month.month)
