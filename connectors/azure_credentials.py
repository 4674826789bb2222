"""Who asks Azure: an application's secret from the settings, or the machine's own identity.

Here belongs: credentials and tokens for Azure's management API. Here does not belong: keys of storage accounts (those
are storage options), and what is asked.
"""

from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from connectors.base import AuthenticationError, SourceError, SourceSettings
from connectors.settings_rules import WebAddress

Credential = Any
"""Anything with azure-core's `get_token(scope)`; the library itself is imported only where it is needed."""
CredentialMaker = Callable[["AzureCredentials"], Credential]


class AzureCredentials(SourceSettings):
    """An application's credentials, or the machine's own identity."""

    tenant_id: str | None = Field(default=None, description="Directory (tenant) of the application that asks.")
    client_id: str | None = Field(default=None, description="The application's id.")
    client_secret: SecretStr | None = Field(default=None, description="Its secret. By reference.")
    credentials: Literal["ambient"] | None = Field(
        default=None, description="`ambient` uses the machine's own identity: workload or managed identity, `az login`."
    )
    endpoint: WebAddress = Field(
        default="https://management.azure.com", description="Azure's management API; sovereign clouds have their own."
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [name for name in ("tenant_id", "client_id", "client_secret") if getattr(self, name) is not None]
        if len(given) not in (0, 3):
            raise ValueError("tenant_id, client_id and client_secret belong together: give all three")
        if given and self.credentials is not None:
            raise ValueError("give either tenant_id, client_id and client_secret, or 'credentials: ambient'")
        return self

    def require_way_in(self) -> None:
        """Raises ValueError where nothing says who asks."""
        if self.tenant_id is None and self.credentials is None:
            raise ValueError("give tenant_id, client_id and client_secret, or 'credentials: ambient'")


def make_credential(settings: AzureCredentials) -> Credential:
    """The credential that the settings name."""
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    if settings.tenant_id and settings.client_id and settings.client_secret:
        return ClientSecretCredential(settings.tenant_id, settings.client_id, settings.client_secret.get_secret_value())
    return DefaultAzureCredential()


def bearer_header(settings: AzureCredentials, make: CredentialMaker) -> dict[str, str]:
    """The header that lets one night's requests in; the token lives about an hour.

    Raises AuthenticationError when no token is given out, SourceError when nobody can be asked for one.
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    try:
        token: str = make(settings).get_token(f"{settings.endpoint}/.default").token
    except ClientAuthenticationError:
        raise AuthenticationError(
            f"no token for {settings.endpoint}: check tenant_id, client_id and client_secret, or the machine's identity"
        ) from None
    except AzureError as error:
        raise SourceError(f"no token for {settings.endpoint}: {type(error).__name__}; run again later") from None
    return {"Authorization": f"Bearer {token}"}
