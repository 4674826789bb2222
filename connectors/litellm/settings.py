"""What has to be said about one LiteLLM gateway before its log can be read."""

from typing import Literal

from pydantic import Field

from connectors.logs.settings import PATH, StoredLogSettings

LogFormat = Literal["auto", "payload", "spend_logs"]


class LiteLlmSettings(StoredLogSettings):
    """Where the log lies, which of its formats it is, and where its metadata names the team."""

    format: LogFormat = Field(default="auto", description="`auto` recognises each row by its content.")
    team_id_field: str = Field(
        default="user_api_key_team_id",
        pattern=PATH,
        description="Field of the log's metadata that names the team; dots lead into objects.",
    )
