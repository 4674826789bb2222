"""The section `errata`: known errors on bills, each reviewed, with its evidence and the day on which it expires."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models import errata
from pipelines.config.closing import Currency, Month
from pipelines.config.strict import Slug, Strict, Words

Amount = Annotated[Decimal, Field(max_digits=26, decimal_places=12)]

_COLUMNS = {
    "account": "billing_account_id",
    "sub_account": "sub_account_id",
    "invoice": "invoice_id",
    "service": "service_name",
    "resource": "resource_id",
    "model": "model_id",
    "category": "charge_category",
    "day": "charge_date",
}
"""The column of `charge_groups` that each setting of a match names."""


class ErratumMatch(Strict):
    """Which lines of the bill are wrong: those of which all that is given holds, in the words of `charge_groups`."""

    account: Words | None = Field(default=None, description="Billing account.")
    sub_account: Words | None = Field(default=None, description="Sub-account, project or workspace.")
    invoice: Words | None = Field(default=None, description="Invoice id.")
    service: Words | None = Field(default=None, description="Service.")
    resource: Words | None = Field(default=None, description="Resource id.")
    model: Words | None = Field(default=None, description="Model, by the id that figures are grouped by.")
    category: Literal["Usage", "Purchase", "Tax", "Credit", "Adjustment"] | None = Field(
        default=None, description="FOCUS charge category."
    )
    day: date | None = Field(default=None, description="Day on which the charge starts (UTC).")

    @property
    def columns(self) -> dict[str, str | date]:
        """The values that columns of `charge_groups` must have."""
        found = {column: getattr(self, name) for name, column in _COLUMNS.items()}
        return {column: value for column, value in found.items() if value is not None}

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.columns:
            raise ValueError(f"must name at least one of {', '.join(_COLUMNS)}")
        return self


class Erratum(Strict):
    """An error on the bill of one month: taken off those who carry it, until the provider credits it."""

    id: Slug = Field(description="Kept on every posting that it makes.")
    provider: Words = Field(description="Provider as its bill names it, such as AWS.")
    month: Month = Field(description="Billing period of the wrong lines, such as 2026-10.")
    currency: Currency = Field(description="Currency of the bill.")
    match: ErratumMatch = Field(description="The wrong lines.")
    billed: Amount = Field(
        description="What these lines come to on the bill. Where they come to something else by more than a cent, the "
        "bill has changed since, and nothing is corrected."
    )
    should_be: Amount = Field(description="What they would come to if they were right.")
    reason: Words = Field(max_length=300, description="What is wrong, as the statements tell it.")
    evidence: Words = Field(max_length=300, description="What shows it: a support case, a contract's clause.")
    reviewed_by: Words = Field(max_length=120, description="Who reviewed it.")
    expires: date = Field(description="Last day on which it holds. Afterwards it is told, and no longer applied.")

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")

    @property
    def known_error(self) -> errata.Erratum:
        """As the ledger takes it."""
        change = self.should_be - self.billed
        match = self.match.columns
        return errata.Erratum(self.id, self.first_day, self.provider, self.currency, self.billed, change, match)

    @model_validator(mode="after")
    def _corrects_something(self) -> Self:
        if not self.billed:
            raise ValueError("'billed' must not be zero: there would be nothing to split the correction by")
        if self.should_be == self.billed:
            raise ValueError("'should_be' is what is 'billed': there is nothing to correct")
        if self.should_be and (self.should_be < 0) != (self.billed < 0):
            raise ValueError(
                f"'should_be' ({self.should_be}) turns what is 'billed' ({self.billed}) into its opposite: give both "
                "as they stand, or would stand, on the bill"
            )
        return self
