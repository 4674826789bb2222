"""What has to be said about one Helicone organisation before its requests can be read."""

from pydantic import Field, SecretStr, field_validator

from connectors.logs.conventions import Place
from connectors.logs.settings import PATH, LogSettings, StoredLogSettings
from connectors.settings_rules import WebAddress

MOST_ROWS_PER_PAGE = 1000
"""What the API gives at once."""


class HeliconeNames(LogSettings):
    """How this Helicone counts tokens, and which of the callers' properties name the team."""

    team_id_field: str = Field(default="team", pattern=PATH, description="Property of the request that names the team.")
    cached_input: Place = Field(
        default="outside",
        description="Whether `prompt_tokens` holds cached input: `outside` since Helicone subtracts it (2025), "
        "`inside` before, `unstated` where rows of both are read: inside, unless more is cached than there is input.",
    )
    reasoning: Place = Field(
        default="outside",
        description="Whether `completion_tokens` holds reasoning: `outside` since Helicone counts it apart, `inside` "
        "before.",
    )


class HeliconeSettings(HeliconeNames):
    """An organisation's requests, by the API."""

    url: WebAddress = Field(
        default="https://api.helicone.ai",
        description="Address of the API: https://eu.api.helicone.ai for the EU region, or the own host.",
    )
    api_key: SecretStr = Field(min_length=1, description="Key that may read (sk-helicone-...), by reference.")
    rows_per_page: int = Field(
        default=MOST_ROWS_PER_PAGE, ge=2, le=MOST_ROWS_PER_PAGE, description="Requests asked for at once."
    )
    hours_per_query: int = Field(
        default=4, ge=1, le=24, description="Hours of a day that are paged through together; less where days are full."
    )

    @field_validator("url")
    @classmethod
    def _host(cls, url: str) -> str:
        return url.removesuffix("/v1")


class HeliconeTableSettings(HeliconeNames, StoredLogSettings):
    """Rows of the table `request_response_rmt` that an own Helicone's ClickHouse has exported."""
