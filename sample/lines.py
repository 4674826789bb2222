"""One line of a bill, in FOCUS terms: what every provider's lines have in common, and room for what only one has.

Here belongs: the line and what it says of a commitment. Here does not belong: who bills what, native columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)


class Commitment(NamedTuple):
    """What a line says of a commitment: its part of the amortised purchase, of what used it, of what nobody used."""

    commitment_id: str
    purchased: Decimal = Decimal(0)
    used: Decimal = Decimal(0)
    unused: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill. Costs are USD, after the credits that the line itself holds.

    `cost` is what is billed; `effective` is what the line is worth where prepayment makes that something else. `native`
    are columns of the provider's own format, for its writer.
    """

    provider_name: str
    sub_account_id: str
    charge_category: str
    description: str
    start: datetime
    end: datetime
    service_name: str
    service_category: str
    cost: Decimal
    list_cost: Decimal
    sku_id: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    pricing_quantity: Decimal | None = None
    pricing_unit: str | None = None
    unit_price: Decimal | None = None
    list_unit_price: Decimal | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    tags: Mapping[str, str] | None = None
    model: str | None = None
    token_class: str | None = None
    frequency: str = "Usage-Based"
    effective: Decimal | None = None
    commitment: Commitment | None = None
    native: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def effective_cost(self) -> Decimal:
        """What the line is worth: its amortised cost."""
        return self.cost if self.effective is None else self.effective

    @property
    def is_throughput(self) -> bool:
        """Whether it is for throughput of models, which is paid by the hour."""
        return "Provisioned" in (self.sku_id or "")


def as_double(value: Decimal) -> float:
    """The double whose shortest text is the amount. Raises ValueError where there is none."""
    written = float(value)
    if Decimal(repr(written)) != value:
        raise ValueError(f"no double holds {value} exactly: choose an amount with fewer digits")
    return written
