"""Settings of Azure Monitor's counts: which resources, and which of the two sets of metrics they have."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.azure_credentials import AzureCredentials

_RESOURCE = re.compile(r"/?subscriptions/[^\s?#/]+/resourcegroups/[^\s?#/]+/providers(/[^\s?#/]+){3,}", re.IGNORECASE)


class AzureUsageSettings(AzureCredentials):
    """Tokens, requests and utilisation of Azure's model deployments, hour by hour, from Azure Monitor."""

    kind: str = Field(default="azure_usage", pattern="^azure_usage$", description="Which connector reads it.")
    resources: tuple[str, ...] = Field(
        min_length=1,
        description="Full ids of the accounts that models are deployed in: /subscriptions/<id>/resourceGroups/<group>"
        "/providers/Microsoft.CognitiveServices/accounts/<name>.",
    )
    metrics: Literal["azure_openai", "models"] = Field(
        default="azure_openai",
        description="Which metrics count: `azure_openai` (ProcessedPromptTokens, GeneratedTokens, ...) or `models` "
        "(InputTokens, OutputTokens, ...). Both count the same requests.",
    )
    trailing_days: int = Field(default=2, ge=0, le=30, description="Days before the night's own that are read again.")

    @field_validator("resources")
    @classmethod
    def _are_resources(cls, resources: tuple[str, ...]) -> tuple[str, ...]:
        for resource in resources:
            if not _RESOURCE.fullmatch(resource.rstrip("/")):
                raise ValueError(
                    f"{resource!r} is no resource's full id, /subscriptions/<id>/resourceGroups/<group>/..."
                )
        cleaned = tuple(resource.strip("/").lower() for resource in resources)
        if len(set(cleaned)) < len(cleaned):
            raise ValueError("names a resource twice")
        return cleaned

    @model_validator(mode="after")
    def _says_who_asks(self) -> Self:
        self.require_way_in()
        return self
