"""Settings of an Azure bill: which exports, or which report, and what they are expected to hold."""

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.azure_credentials import AzureCredentials
from connectors.base import StoredSourceSettings

View = Literal["actual", "amortized", "focus"]
Metric = Literal["ActualCost", "AmortizedCost"]
VIEW_OF: dict[str, View] = {"ActualCost": "actual", "AmortizedCost": "amortized", "FocusCost": "focus"}


class ReportSettings(BaseModel):
    """A report that is made on demand instead of an export."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    scope: str = Field(
        min_length=1,
        description="What it covers, such as /subscriptions/<id> or /providers/Microsoft.Billing/billingAccounts/<id>.",
    )
    metrics: tuple[Metric, ...] = Field(
        default=("ActualCost", "AmortizedCost"),
        min_length=1,
        max_length=2,
        description="Which of the two views of the charges is asked for; both together give billed and effective cost.",
    )

    @field_validator("scope")
    @classmethod
    def _names_a_scope(cls, scope: str) -> str:
        if not re.fullmatch(r"/?[^\s?#/]+(/[^\s?#/]+)+/?", scope):
            raise ValueError("must be a scope's path, such as /subscriptions/<id>, without query and blanks")
        return scope.strip("/")

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        if len(set(metrics)) < len(metrics):
            raise ValueError("names a metric twice")
        return metrics


class AzureBillSettings(StoredSourceSettings, AzureCredentials):
    """Azure's charges: Cost Management exports in a container or a folder, or a report made on demand."""

    kind: str = Field(default="azure_bill", pattern="^azure_bill$", description="Which connector reads it.")
    location: str | None = Field(
        default=None,
        min_length=1,
        description="Folder that the exports lie in, az://container/root or s3://bucket/prefix: the exports' own root.",
    )
    actual: str | None = Field(default=None, min_length=1, description="Name of the export of type ActualCost.")
    amortized: str | None = Field(default=None, min_length=1, description="Name of the export of type AmortizedCost.")
    focus: str | None = Field(default=None, min_length=1, description="Name of the export of type FocusCost.")
    report: ReportSettings | None = Field(
        default=None, description="Instead of exports: `scope` and `metrics` of a report that is made on demand."
    )
    currency: str = Field(
        default="USD", pattern=r"^[A-Z]{3}$", description="Billing currency; lines in any other are refused."
    )
    trailing_months: int = Field(
        default=1, ge=0, le=2, description="Closed months that are pulled again early in a month."
    )
    restated_through_day: int = Field(
        default=10, ge=6, le=31, description="Last day of the month on which the trailing months are pulled again."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        named = self.exports
        if self.report is not None:
            if named or self.location:
                raise ValueError("`report` stands alone: leave out location, actual, amortized and focus")
            self.require_way_in()
            return self
        if not self.location or not named:
            raise ValueError("give `location` with `actual`, `amortized` or both, or with `focus`; or give `report`")
        if "focus" in named and len(named) > 1:
            raise ValueError("a FOCUS export holds both views already: leave out actual and amortized")
        if len(set(named.values())) < len(named):
            raise ValueError("actual and amortized are two exports; they cannot have one name")
        if bad := [name for name in named.values() if "/" in name.strip("/") or ".." in name]:
            raise ValueError(f"{bad[0]!r} is no name of an export: the folders above it belong to `location`")
        return self

    @property
    def exports(self) -> dict[View, str]:
        """The exports' names by the view that they hold."""
        named: dict[View, str | None] = {"actual": self.actual, "amortized": self.amortized, "focus": self.focus}
        return {view: name.strip("/") for view, name in named.items() if name}
