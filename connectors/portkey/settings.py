"""What has to be said about one Portkey workspace before its log can be read: by its API, or as files."""

from decimal import Decimal

from pydantic import Field, SecretStr

from connectors.logs.settings import PATH, LogSettings, StoredLogSettings
from connectors.settings_rules import WebAddress


class PortkeyNames(LogSettings):
    """Where Portkey's metadata names the team, and what a trace is."""

    team_id_field: str = Field(
        default="team",
        pattern=PATH,
        description="Key of the request's metadata that names the team; a request without it is its workspace's.",
    )
    trace_is_one_operation: bool = Field(
        default=True,
        description="Whether requests of one trace are attempts of one operation (retries, fallbacks). False where "
        "callers set x-portkey-trace-id for whole workflows.",
    )


class PortkeySettings(PortkeyNames):
    """One workspace, by its API."""

    url: WebAddress = Field(
        default="https://api.portkey.ai/v1",
        description="Address of the API, up to its version.",
    )
    api_key: SecretStr = Field(description="API key with the scope logs.export. By reference.")
    workspace: str | None = Field(
        default=None,
        min_length=1,
        description="Slug of the workspace (ws-...), where the key is an organisation's. Portkey finds nothing by id.",
    )
    export_minutes: int = Field(
        default=60, ge=1, le=600, description="What the exports of one day may take altogether."
    )


class PortkeyFilesSettings(PortkeyNames, StoredLogSettings):
    """Files that a private cloud's gateway writes to a bucket of its own."""

    cost_unit_usd: Decimal = Field(
        default=Decimal("0.01"),
        gt=0,
        description="What one unit of `cost` is in USD: 0.01 for cents, as Portkey computes; 1 where it was converted.",
    )
