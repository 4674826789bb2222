"""The section `exchange_rates`: what a bill's currency was worth in a month."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipelines.config.closing import Currency, Month
from pipelines.config.strict import Strict, Words

Rate = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=9)]


class ExchangeRate(Strict):
    """What one unit of a bill's currency is worth in the statements' currency in a month. Once used, it is locked."""

    from_currency: Currency = Field(alias="from", description="Currency of a bill, such as EUR.")
    to_currency: Currency = Field(alias="to", description="The statements' currency.")
    month: Month = Field(description="Billing period that it is for, such as 2026-10.")
    rate: Rate = Field(description="Units of 'to' for one unit of 'from', at most nine decimal places.")
    source: Words = Field(description="Who says so, such as ECB monthly average.")
    restates: Rate | None = Field(default=None, description="The rate that this one replaces, where one was in use.")

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")

    @model_validator(mode="after")
    def _two_currencies(self) -> Self:
        if self.from_currency == self.to_currency:
            raise ValueError(f"converts {self.from_currency} to itself")
        return self
