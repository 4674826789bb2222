"""What has to be said about one LiteLLM gateway before its log can be read: as files, or in its database."""

from typing import Literal

from pydantic import Field, SecretStr

from connectors.logs.settings import PATH, LogSettings, StoredLogSettings
from connectors.postgres_settings import PostgresSettings

LogFormat = Literal["auto", "payload", "spend_logs"]


class LiteLlmNames(LogSettings):
    """Where a gateway's metadata names the team, whichever way its log is read."""

    team_id_field: str = Field(
        default="user_api_key_team_id",
        pattern=PATH,
        description="Field of the log's metadata that names the team; dots lead into objects.",
    )


class LiteLlmSettings(LiteLlmNames, StoredLogSettings):
    """Where the log lies, and which of its formats it is."""

    format: LogFormat = Field(default="auto", description="`auto` recognises each row by its content.")


class LiteLlmDatabaseSettings(LiteLlmNames, PostgresSettings):
    """How the gateway's PostgreSQL is reached."""

    dsn: SecretStr = Field(
        min_length=1,
        description="Connection string, by reference: postgresql://user:password@host:5432/database. LiteLLM's own "
        "DATABASE_URL will do; a user that may only read is better.",
    )
    table_schema: str | None = Field(
        default=None, min_length=1, description="Schema of LiteLLM's tables; else the connection string's, or public."
    )
    daily_table: bool = Field(
        default=True, description="Whether the log is held against LiteLLM_DailyUserSpend, day by day."
    )
