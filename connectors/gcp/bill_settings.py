"""Settings of Google Cloud's billing export: where it lies, how it is reached, what it is expected to hold."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.base import StoredSourceSettings
from connectors.gcp.access import GoogleAccess
from connectors.settings_rules import require_one_way_in

_TABLE = re.compile(r"[A-Za-z0-9.:-]+\.[A-Za-z0-9_]+\.[A-Za-z0-9_$-]+")


class GcpBillSettings(GoogleAccess, StoredSourceSettings):
    """The billing export, as files (`location`) or as its table (`table`): exactly one of them."""

    kind: str = Field(default="gcp_bill", pattern="^gcp_bill$", description="Which connector reads it.")
    location: str | None = Field(
        default=None,
        min_length=1,
        description="Folder, gs://, s3:// or az:// location of exported files: Parquet, JSON lines, CSV, CSV.gz.",
    )
    layout: Literal["month", "any"] = Field(
        default="month",
        description="`month`: the path names the invoice month (month=202609, 2026-09); `any`: every file is read and "
        "its lines are picked by their invoice month.",
    )
    table: str | None = Field(
        default=None, description="`project.dataset.table` of the standard or the detailed export in BigQuery."
    )
    job_project: str | None = Field(
        default=None, description="Project that runs and pays for the query; left out, the table's own."
    )
    page_rows: int = Field(default=20_000, ge=1, le=100_000, description="Lines of the table in one landed page.")
    maximum_gib_billed: int | None = Field(
        default=None, ge=1, description="A query that would scan more is refused by BigQuery and costs nothing."
    )
    final_after_day: int | None = Field(
        default=None,
        ge=1,
        le=28,
        description="With `table`: a month is final once the table holds lines exported on this day of the next month "
        "or later. Left out, no month is ever final: the export has no word for it.",
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Lines in any other currency are refused.")
    trailing_months: int = Field(default=1, ge=0, le=2, description="Closed months that are read again.")
    restated_through_day: int = Field(
        default=15, ge=1, le=31, description="Last day of the month on which closed months are read again."
    )

    @field_validator("table")
    @classmethod
    def _three_parts(cls, table: str | None) -> str | None:
        if table is not None and not _TABLE.fullmatch(table):
            raise ValueError("must be project.dataset.table, as in acme-billing.export.gcp_billing_export_v1_01AAAA")
        return table

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        require_one_way_in(self, location="exported files", table="BigQuery")
        if self.table is not None:
            self.require_access()
        return self
