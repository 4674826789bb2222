"""How Google's APIs are reached: a service account's key, the machine's own identity, an address for emulators."""

import json
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr

from connectors.base import AuthenticationError
from connectors.settings_rules import WebAddress

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class GoogleAccess(BaseModel):
    """Settings of a source that asks one of Google's APIs."""

    service_account_json: SecretStr | None = Field(
        default=None, description="Key of a service account: the JSON file's text, by reference."
    )
    credentials: Literal["ambient"] | None = Field(
        default=None, description="`ambient` uses the machine's own identity (application default credentials)."
    )
    endpoint: WebAddress | None = Field(
        default=None, description="Another address of the API; a plain http:// one is asked without credentials."
    )

    @property
    def is_plain(self) -> bool:
        """Whether the address is a plain http:// one: an emulator's. Credentials never go there."""
        return (self.endpoint or "").startswith("http://")

    def require_access(self) -> None:
        """Raises ValueError unless it is said with which credentials to ask."""
        given = [self.service_account_json is not None, self.credentials is not None]
        if sum(given) != 1 and not (self.is_plain and not any(given)):
            raise ValueError("give either 'service_account_json' or 'credentials: ambient'")


def google_credentials(access: GoogleAccess) -> Any:
    """Credentials for the client libraries; anonymous ones for a plain address.

    Raises AuthenticationError when the key cannot be read or the machine has no identity.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    if access.is_plain:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    try:
        if access.service_account_json is not None:
            key = json.loads(access.service_account_json.get_secret_value())
            return service_account.Credentials.from_service_account_info(key, scopes=list(_SCOPES))  # type: ignore[no-untyped-call]
        return google.auth.default(scopes=list(_SCOPES))[0]  # type: ignore[no-untyped-call]
    except (GoogleAuthError, ValueError, TypeError, AttributeError):
        raise AuthenticationError(
            "Google's credentials cannot be used: 'service_account_json' must hold the text of a service account's "
            "JSON key, or, with 'credentials: ambient', the machine must have an identity of its own"
        ) from None


def bearer_header(access: GoogleAccess, where: str, role: str) -> dict[str, str]:
    """The header that lets one night's plain HTTP requests in; none for a plain address.

    Raises AuthenticationError when no token is given out, SourceError when nobody can be asked for one.
    """
    from google.auth.transport.requests import Request

    from connectors.gcp.answers import google_errors

    if access.is_plain:
        return {}
    credentials = google_credentials(access)
    with google_errors(where, role):
        credentials.refresh(Request())
    return {"Authorization": f"Bearer {credentials.token}"}
