"""What has to be said about a Cloudflare AI Gateway before its log can be read."""

from pydantic import Field, SecretStr

from connectors.logs.settings import PATH, LogSettings
from connectors.settings_rules import WebAddress


class CloudflareSettings(LogSettings):
    """One gateway of one Cloudflare account."""

    url: WebAddress = Field(
        default="https://api.cloudflare.com/client/v4", description="Address of the API, up to its version."
    )
    account_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The Cloudflare account's id.")
    gateway_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The gateway's name.")
    api_token: SecretStr = Field(min_length=1, description="Token with the permission AI Gateway Read.")
    team_id_field: str = Field(default="team", pattern=PATH, description="Key of the metadata that names the team.")
    user_field: str = Field(
        default="user", pattern=PATH, description="Key of the metadata that names who called, kept as a hash."
    )
