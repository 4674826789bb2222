"""What `farthing.yml` says of an OpenAI organisation: its Admin key or its saved answers, and how finely to ask."""

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.base import StoredSourceSettings
from connectors.openai.endpoints import ENDPOINTS, Endpoint
from connectors.settings_rules import WebAddress, require_one_way_in


class OpenAiSettings(StoredSourceSettings):
    """One organisation: by its API (`admin_key`), or by answers that another job saved (`location`)."""

    url: WebAddress = Field(default="https://api.openai.com/v1", description="Address of the API, up to its version.")
    admin_key: SecretStr | None = Field(
        default=None, description="Admin key (sk-admin-...) with the scope api.usage.read; a project's key does not do."
    )
    location: str | None = Field(
        default=None, description="Folder, s3://, gs:// or az:// location of saved answers, instead of `admin_key`."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        require_one_way_in(self, admin_key="the API", location="saved answers")
        return self


class OpenAiUsageSettings(OpenAiSettings):
    """Settings of kind `openai_usage`."""

    kind: str = Field(default="openai_usage", pattern="^openai_usage$", description="Which connector reads it.")
    endpoints: tuple[str, ...] = Field(
        default=tuple(ENDPOINTS), min_length=1, description="The usage endpoints to read; all unless said."
    )
    bucket_width: Literal["1m", "1h", "1d"] = Field(default="1d", description="How long a bucket of usage is.")
    by_user: bool = Field(default=False, description="Whether usage is also separated by the id of the user.")
    trailing_days: int = Field(default=7, ge=0, le=31, description="Days before the night's own that are read again.")

    @field_validator("endpoints")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in ENDPOINTS]:
            raise ValueError(f"{', '.join(unknown)}: no such endpoint; known are {', '.join(ENDPOINTS)}")
        return names

    @property
    def asked(self) -> list[Endpoint]:
        """The endpoints to read, in their fixed order."""
        return [endpoint for name, endpoint in ENDPOINTS.items() if name in self.endpoints]


class OpenAiCostsSettings(OpenAiSettings):
    """Settings of kind `openai_costs`."""

    kind: str = Field(default="openai_costs", pattern="^openai_costs$", description="Which connector reads it.")
    by_api_key: bool = Field(
        default=False,
        description="Whether costs are also separated by API key; where the organisation refuses that, they are not.",
    )
    project_names: bool = Field(
        default=False, description="Whether the projects' names are read too; the key then needs to read projects."
    )
    trailing_days: int = Field(
        default=35, ge=0, le=92, description="Days after its end that a month is still read again, as it is restated."
    )
