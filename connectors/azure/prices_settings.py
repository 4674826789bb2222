"""Settings of Azure's retail price list: which services, regions and sizes are read."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.base import SourceSettings
from connectors.settings_rules import WebAddress


class Offer(BaseModel):
    """A part of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    service: str = Field(min_length=1, description="serviceName of the list: Virtual Machines, Foundry Models, ...")
    regions: tuple[str, ...] = Field(default=(), description="armRegionName, eastus2 say; left out: every region.")
    skus: tuple[str, ...] = Field(default=(), description="armSkuName, Standard_ND96isr_H100_v5 say; left out: all.")


class AzurePricesSettings(SourceSettings):
    """Azure's retail prices: list prices of machines and models, spot, reserved and by savings plan. No credentials."""

    kind: str = Field(default="azure_prices", pattern="^azure_prices$", description="Which connector reads it.")
    offers: tuple[Offer, ...] = Field(
        min_length=1, description="Parts of the list: `service`, and `regions` and `skus` where not all are wanted."
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Currency that the list is asked for in.")
    endpoint: WebAddress = Field(
        default="https://prices.azure.com/api/retail/prices", description="Where the price list is served."
    )

    @model_validator(mode="after")
    def _each_part_once(self) -> Self:
        parts = [(offer.service, region, offer.skus) for offer in self.offers for region in offer.regions or ("",)]
        if len(set(parts)) < len(parts):
            raise ValueError("two offers ask for the same part of the list")
        return self
