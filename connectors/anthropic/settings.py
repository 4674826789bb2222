"""What `farthing.yml` says of Anthropic: where the answers come from, how finely, and how far back a night looks."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from connectors.base import StoredSourceSettings
from connectors.settings_rules import WebAddress, require_one_way_in

Dimension = Literal[
    "agent_id",
    "api_key_id",
    "context_window",
    "deployment_id",
    "environment_id",
    "inference_geo",
    "model",
    "organization_id",
    "product",
    "service_tier",
    "speed",
    "workspace_id",
]
"""What the analytics API may group by here: groups that overlap, and people, are left out."""

_ALWAYS: tuple[Dimension, ...] = ("workspace_id", "api_key_id", "model", "service_tier", "context_window")


class AnthropicSettings(StoredSourceSettings):
    """Answers of the API (`api_key`), or answers that were saved (`location`): exactly one of them."""

    url: WebAddress = Field(default="https://api.anthropic.com", description="Address of the API.")
    api_key: SecretStr | None = Field(
        default=None, description="Admin key (sk-ant-admin...); with `api: analytics` also one with read:analytics."
    )
    location: str | None = Field(
        default=None, min_length=1, description="Folder, s3://, gs:// or az:// location of answers that were saved."
    )
    api: Literal["admin", "analytics"] = Field(
        default="admin",
        description="`analytics` is the beta successor: it also knows requests, and the cost of each key.",
    )
    analytics_groups: tuple[Dimension, ...] = Field(
        default=_ALWAYS, min_length=1, max_length=5, description="What `api: analytics` groups by: at most five."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        require_one_way_in(self, api_key="the API", location="saved answers")
        return self


class UsageSettings(AnthropicSettings):
    """Tokens and web searches, by key, workspace, model, tier, context window and geography."""

    bucket_width: Literal["1m", "1h", "1d"] = Field(default="1h", description="Length of the buckets.")
    more_groups: tuple[Literal["account_id", "service_account_id", "speed"], ...] = Field(
        default=(), description="What `api: admin` groups by besides; `speed` tells fast mode apart (beta)."
    )
    trailing_days: int = Field(default=7, ge=0, le=31, description="Days before the night's own that are read again.")


class CostsSettings(AnthropicSettings):
    """Money, by workspace and description, or with `api: analytics` by key too."""

    trailing_months: int = Field(default=1, ge=0, le=2, description="Closed months that are read again.")
    restated_through_day: int = Field(
        default=15, ge=1, le=31, description="Last day of the month on which closed months are read again."
    )
    total_tolerance_usd: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=1,
        description="How far the lines may be from the report's own total and still be taken in.",
    )
