"""What has to be said about one Langfuse project before its observations or scores can be read."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from connectors.base import SourceSettings
from connectors.logs.settings import LogSettings, StoredLogSettings

MOST_ROWS_PER_PAGE = 1000
"""What the API gives at once."""


class LangfuseApi(SourceSettings):
    """How the public API of one project is reached."""

    url: str = Field(
        default="https://cloud.langfuse.com",
        description="Address of Langfuse: https://us.cloud.langfuse.com for the US region, or the own host.",
    )
    public_key: str = Field(min_length=1, description="The project's public key, pk-lf-...")
    secret_key: SecretStr = Field(min_length=1, description="The project's secret key, sk-lf-..., by reference.")

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", url):
            raise ValueError("must be an address such as https://cloud.langfuse.com, without user and query")
        return url.rstrip("/").removesuffix("/api/public")


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
