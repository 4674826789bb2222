"""Settings of Google Cloud's list prices: which services of the Cloud Billing catalog, in which currency."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from connectors.base import SourceSettings
from connectors.gcp.access import GoogleAccess

COMPUTE_ENGINE = "6F81-5844-456A"
VERTEX_AI = "C7E2-9256-1C43"


class GcpPricesSettings(GoogleAccess, SourceSettings):
    """List prices, one reading a day. The catalog is public; an API key is enough."""

    kind: str = Field(default="gcp_prices", pattern="^gcp_prices$", description="Which connector reads it.")
    api_key: SecretStr | None = Field(default=None, description="API key with the Cloud Billing API enabled.")
    services: tuple[str, ...] = Field(
        default=(COMPUTE_ENGINE, VERTEX_AI),
        min_length=1,
        description="Ids of the catalog's services: Compute Engine and Vertex AI where left out.",
    )
    compute_groups: tuple[str, ...] = Field(
        default=("GPU",),
        description="Resource groups of Compute Engine that are kept: GPU, CPU, RAM, ...; none means all.",
    )
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$", description="Currency of the prices asked for.")
    page_size: int = Field(default=5000, ge=1, le=5000, description="SKUs in one answer.")

    @model_validator(mode="after")
    def _one_way_to_ask(self) -> Self:
        if self.api_key is None:
            self.require_access()
        elif self.service_account_json is not None or self.credentials is not None:
            raise ValueError("give 'api_key', 'service_account_json' or 'credentials: ambient', and only one of them")
        return self
