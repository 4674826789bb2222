"""What `farthing.yml` says of an OpenRouter account: its management key or where its answers are saved."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from connectors.base import StoredSourceSettings
from connectors.logs.settings import StoredLogSettings
from connectors.settings_rules import WebAddress, require_one_way_in

DAYS_SERVED = 30
"""The API tells of so many completed UTC days, and of no other."""


class OpenRouterSettings(StoredSourceSettings):
    """One account: by its API (`management_key`), or by answers that another job saved (`location`)."""

    url: WebAddress = Field(
        default="https://openrouter.ai/api/v1", description="Address of the API, up to its version."
    )
    management_key: SecretStr | None = Field(
        default=None, description="Management key (once called provisioning key); a key for inference does not do."
    )
    location: str | None = Field(
        default=None, description="Folder, s3://, gs:// or az:// location of saved answers, instead of the key."
    )
    by_workspace: bool = Field(
        default=False, description="Whether the API is asked to separate workspaces; accounts without them need not."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        require_one_way_in(self, management_key="the API", location="saved answers")
        return self


class OpenRouterUsageSettings(OpenRouterSettings):
    """Settings of kind `openrouter_usage`."""

    kind: str = Field(default="openrouter_usage", pattern="^openrouter_usage$", description="Which connector reads it.")
    trailing_days: int = Field(
        default=7, ge=0, lt=DAYS_SERVED, description="Days before the night's own that are read again."
    )


class OpenRouterCostsSettings(OpenRouterSettings):
    """Settings of kind `openrouter_costs`."""

    kind: str = Field(default="openrouter_costs", pattern="^openrouter_costs$", description="Which connector reads it.")
    trailing_months: int = Field(
        default=1, ge=0, le=12, description="Months before that are read again from saved answers; the API has none."
    )
    restated_through_day: int = Field(
        default=7, ge=1, le=31, description="Last day of the month on which those months are read again."
    )


class OpenRouterLogSettings(StoredLogSettings):
    """Settings of kind `openrouter_log`: where Broadcast stores its traces, or generations were saved."""

    kind: str = Field(default="openrouter_log", pattern="^openrouter_log$", description="Which connector reads it.")
    location: str = Field(
        min_length=1,
        description="s3://bucket/openrouter-traces, or any folder or location of traces and saved generations.",
    )
    team_id_field: str = Field(
        default="team",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Key of the request's `trace` object that names the team.",
    )
