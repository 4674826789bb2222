"""Settings of Azure's commitments: who asks, or where answers were saved, and which subscriptions' deployments."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from connectors.azure_credentials import AzureCredentials
from connectors.base import StoredSourceSettings

_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class AzureCommitmentsSettings(StoredSourceSettings, AzureCredentials):
    """Reservations, savings plans and provisioned deployments: by Azure's API, or by answers that were saved."""

    kind: str = Field(
        default="azure_commitments", pattern="^azure_commitments$", description="Which connector reads it."
    )
    location: str | None = Field(
        default=None,
        min_length=1,
        description="Folder, s3://, gs:// or az:// location of saved answers, instead of credentials.",
    )
    subscriptions: tuple[str, ...] = Field(
        default=(), description="Ids of the subscriptions whose model deployments are read."
    )
    reservations: bool = Field(default=True, description="Whether reservations are read.")
    savings_plans: bool = Field(default=True, description="Whether savings plans are read.")

    @field_validator("subscriptions")
    @classmethod
    def _are_ids(cls, subscriptions: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(name.lower() for name in subscriptions)
        if wrong := [name for name in found if not _SUBSCRIPTION.fullmatch(name)]:
            raise ValueError(f"{', '.join(wrong)}: no subscription's id, which is 8-4-4-4-12 hexadecimal digits")
        if len(set(found)) < len(found):
            raise ValueError("names a subscription twice")
        return found

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.location is None:
            self.require_way_in()
        elif self.tenant_id is not None or self.credentials is not None:
            raise ValueError("give either 'location' (saved answers) or credentials (the API), not both")
        if not self.folders:
            raise ValueError("nothing is left to read: name 'subscriptions', or leave reservations or savings_plans on")
        return self

    @property
    def folders(self) -> tuple[str, ...]:
        """What the answers of each question are called, in their fixed order."""
        asked = {
            "reservations": self.reservations,
            "reservationOrders": self.reservations,
            "savingsPlans": self.savings_plans,
            "accounts": bool(self.subscriptions),
        }
        return tuple(name for name, is_asked in asked.items() if is_asked)
