"""Settings of a source of bills: where they lie, how the months are found, and what they are expected to hold."""

from collections.abc import Mapping
from datetime import date
from string import Formatter
from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.base import StoredSourceSettings
from connectors.focus.rules import CostClassRule, ModelRule

ANY_LAYOUT = "any"


class BillSettings(StoredSourceSettings):
    """What every bill in files has, whatever its columns are called."""

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
        description="`last`: each delivery of a month lies in a folder of its own, and only one counts: that submitted "
        "last, or that of the last path where manifests do not say when.",
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Rows in any other currency are refused.")
    trailing_months: int = Field(
        default=1, ge=0, le=2, description="Closed months that are pulled again early in a month."
    )
    restated_through_day: int = Field(
        default=15, ge=1, le=31, description="Last day of the month on which the trailing months are pulled again."
    )
    excess_precision: Literal["reject", "round"] = Field(
        default="round",
        description="What becomes of a billed or effective cost with more than 12 decimal places: rounded and told, "
        "as in every bill, or refused.",
    )
    models: tuple[ModelRule, ...] = Field(
        default=(), description="Rules that find models; the first that matches wins."
    )
    cost_classes: tuple[CostClassRule, ...] = Field(
        default=(), description="Rules that say what a cost is for; the first that matches wins."
    )

    @property
    def remedies(self) -> Mapping[str, str]:
        """By the reason why a value was not read, the setting that would read it."""
        return {}

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


class FocusSettings(BillSettings):
    """FOCUS bills (1.0 to 1.4) as CSV, CSV.gz, Parquet or JSON, in a folder or in an object store."""

    kind: str = Field(default="focus", pattern="^focus$", description="Which connector reads it.")
    provider: str | None = Field(default=None, description="Provider name of rows that name none.")
