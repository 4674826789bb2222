"""Settings of Azure Monitor's counts: which resources, and which of the two sets of metrics they have."""

from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.azure.monitor import Resources
from connectors.azure_credentials import AzureCredentials


class AzureUsageSettings(AzureCredentials):
    """Tokens, requests and utilisation of Azure's model deployments, hour by hour, from Azure Monitor."""

    kind: str = Field(default="azure_usage", pattern="^azure_usage$", description="Which connector reads it.")
    resources: Resources = Field(
        min_length=1,
        description="Full ids of the accounts that models are deployed in: /subscriptions/<id>/resourceGroups/<group>"
        "/providers/Microsoft.CognitiveServices/accounts/<name>.",
    )
    metrics: Literal["azure_openai", "models", "models_provisioned"] = Field(
        default="azure_openai",
        description="Which metrics count: `azure_openai` (ProcessedPromptTokens, GeneratedTokens, ...) or `models` "
        "(InputTokens, OutputTokens, ...); both count the same requests. `models_provisioned` is `models` with the "
        "utilisation of throughput units, for accounts that have some.",
    )
    trailing_days: int = Field(default=2, ge=0, le=30, description="Days before the night's own that are read again.")

    @model_validator(mode="after")
    def _says_who_asks(self) -> Self:
        self.require_way_in()
        return self
