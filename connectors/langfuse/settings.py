"""What has to be said about one Langfuse project before its observations or scores can be read."""

from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.base import SourceSettings, StoredSourceSettings
from connectors.logs.settings import LogSettings, StoredLogSettings
from connectors.settings_rules import WebAddress

MOST_ROWS_PER_PAGE = 1000
"""What the API gives at once."""


class LangfuseAddress(SourceSettings):
    """Where Langfuse is."""

    url: WebAddress = Field(
        default="https://cloud.langfuse.com",
        description="Address of Langfuse: https://us.cloud.langfuse.com for the US region, or the own host.",
    )

    @field_validator("url")
    @classmethod
    def _host(cls, url: str) -> str:
        return url.removesuffix("/api/public")


class LangfuseApi(LangfuseAddress):
    """How the public API of one project is reached."""

    public_key: str = Field(min_length=1, description="The project's public key, pk-lf-...")
    secret_key: SecretStr = Field(min_length=1, description="The project's secret key, sk-lf-..., by reference.")


class LangfuseNames(LogSettings):
    """How a project's callers count tokens, and where they name team, provider and feature."""

    team_id_field: str = Field(
        default="team",
        pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        description="Field of the metadata that names the team; dots lead into objects.",
    )
    provider_key: str = Field(
        default="provider",
        min_length=1,
        description="Key of the metadata that names the provider; Langfuse itself does not know it.",
    )
    usage: Literal["auto", "exclusive", "inclusive"] = Field(
        default="auto",
        description="How callers fill usageDetails. `exclusive`: cached input, audio and reasoning beside `input` and "
        "`output`, as Langfuse files what it normalises. `inclusive`: inside of them. `auto`: beside, unless the total "
        "says that they are inside.",
    )
    tokenized_models: tuple[str, ...] = Field(
        default=(),
        description="Models (`*` for any text) whose callers state no usage, so that Langfuse counts it itself.",
    )


class LangfuseSettings(LangfuseNames, LangfuseApi):
    """A project's observations, by the public API."""

    rows_per_page: int = Field(
        default=500, ge=1, le=MOST_ROWS_PER_PAGE, description="Observations asked for at once; an answer holds 5 MB."
    )


class LangfuseExportSettings(LangfuseNames, StoredLogSettings):
    """A project's observations, as its blob export files them."""

    location: str = Field(
        min_length=1,
        description="Folder of the project in the export: s3://bucket/prefix/<project id>, gs:// or az://.",
    )
    layout: str = Field(
        default="observations_v2/{date}T*",
        description="Which files hold a UTC day, below the location, by the end of their window. "
        "`observations/{date}T*` for the legacy tables; `observations_v2/*` where the export is weekly.",
    )


class LangfuseScoresSettings(LangfuseAddress, StoredSourceSettings):
    """A project's scores: by the public API (its keys), or as its blob export files them (`location`)."""

    names: tuple[str, ...] = Field(
        min_length=1, description="Names of the scores that tell of outcomes; no other score is read."
    )
    hash_key: SecretStr = Field(
        min_length=16,
        description="Key of the hashes that stand for e-mail addresses in kept texts, 16 characters or more.",
    )
    public_key: str | None = Field(default=None, min_length=1, description="The project's public key, pk-lf-...")
    secret_key: SecretStr | None = Field(default=None, description="The project's secret key, by reference.")
    location: str | None = Field(
        default=None, min_length=1, description="Folder of the project in the export, instead of the keys."
    )
    layout: str = Field(default="scores/{date}T*", description="Which files of the export hold a UTC day.")
    trailing_days: int = Field(
        default=7, ge=0, le=31, description="Days before the night's own that are read again: scores are revised."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        keys = (self.public_key, self.secret_key)
        if any(key is None for key in keys) == (self.location is None) or (self.location and any(keys)):
            raise ValueError("give either 'public_key' and 'secret_key' (the API) or 'location' (the export)")
        return self
