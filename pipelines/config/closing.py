"""The sections `invoices` and `close`: what providers ask for, and what must hold before a month is locked."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from pipelines.config.strict import Strict, Words

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class Invoice(Strict):
    """What one invoice of a provider asks for: the total that its bill lines are held against, within 0.01."""

    provider: Words = Field(description="Provider as its bill names it, such as AWS.")
    id: Words | None = Field(
        default=None,
        description="Invoice id as the bill names it. Without, the total is of all lines that name no invoice.",
    )
    month: Month = Field(description="Billing period that it is for, such as 2026-10.")
    currency: Currency = Field(description="Currency of the total.")
    total: Decimal = Field(description="What is to be paid.", max_digits=38, decimal_places=12)

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")


class Close(Strict):
    """What `farthing close` asks of a month beyond that its bills are final."""

    max_residual_share: Annotated[Decimal, Field(ge=0, le=1, decimal_places=6)] = Field(
        default=Decimal("0.05"),
        description="Largest share of a month's cost that may rest with nobody without `--accept`.",
    )
