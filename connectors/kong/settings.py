"""What has to be said about a Kong AI Gateway's log before it can be read."""

from pydantic import Field

from connectors.logs.settings import PATH, StoredLogSettings


class KongSettings(StoredLogSettings):
    """Entries of Kong's logging plugins (file-log, http-log, tcp-log and others), as JSON lines."""

    team_id_field: str = Field(
        default="consumer.username",
        pattern=PATH,
        description="What names the team: a path in the entry, such as `consumer.custom_id`, `service.name`, "
        "`workspace_name` or `request.headers.x-team-id`.",
    )
    key_id_field: str = Field(
        default="authenticated_entity.id",
        pattern=PATH,
        description="What names the key that called, kept as a hash: the credential, or `consumer.id`.",
    )
    user_field: str | None = Field(
        default=None, pattern=PATH, description="What names the person who called, kept as a hash; a path likewise."
    )
    customer_field: str | None = Field(default=None, pattern=PATH, description="The same for the customer.")
    feature_key: str = Field(default="x-feature", min_length=1, description="Request header that names the feature.")
    environment_key: str = Field(
        default="x-environment", min_length=1, description="Request header that names the environment."
    )
    outcome_keys: tuple[str, ...] = Field(default=(), description="Request headers that hold outcome ids.")
