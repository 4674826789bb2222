"""How Google's APIs are reached: a service account's key, an API key, the machine's own identity; an address for tests.

Here belongs: credentials and what the libraries' errors mean. Here does not belong: what is asked.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from connectors.base import AuthenticationError, RefusedRequestError, SourceError

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_THROTTLED = ("rateLimitExceeded", "quotaExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED")
_SAID_CHARACTERS = 300


class GoogleAccess(BaseModel):
    """Settings of a source that asks one of Google's APIs."""

    service_account_json: SecretStr | None = Field(
        default=None, description="Key of a service account: the JSON file's text, by reference."
    )
    credentials: Literal["ambient"] | None = Field(
        default=None, description="`ambient` uses the machine's own identity (application default credentials)."
    )
    endpoint: str | None = Field(
        default=None, description="Another address of the API; a plain http:// one is asked without credentials."
    )

    @field_validator("endpoint")
    @classmethod
    def _address(cls, endpoint: str | None) -> str | None:
        if endpoint is None:
            return None
        address = urlsplit(endpoint)
        if address.scheme not in {"http", "https"} or not address.hostname or address.username or address.query:
            raise ValueError("must be an address such as https://bigquery.googleapis.com, without user and query")
        return endpoint.rstrip("/")

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


@contextmanager
def google_errors(where: str, role: str) -> Generator[None]:
    """Tells what Google's libraries raise in this house's errors. `where` is asked; `role` is what it takes.

    Raises AuthenticationError, RefusedRequestError or SourceError.
    """
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.protobuf.json_format import ParseError
    from requests.exceptions import RequestException

    try:
        yield
    except TransportError as error:
        raise SourceError(
            f"{where} cannot be reached ({type(error).__name__}). Check the network and 'endpoint'."
        ) from None
    except GoogleAuthError as error:
        raise AuthenticationError(
            f"{where}: Google refused the credentials ({type(error).__name__}). Give the account {role}."
        ) from None
    except RetryError as error:
        raise _refused(where, role, error.cause) from None
    except GoogleAPICallError as error:
        raise _refused(where, role, error) from None
    except AttributeError:  # the library's own, where an error's body is none of Google's: a proxy's
        raise SourceError(f"{where} answered with an error that is not Google's. Is a proxy in the way?") from None
    except (RequestException, OSError) as error:
        raise SourceError(f"{where} did not answer ({type(error).__name__}). Run again when it is well.") from None
    except (ValueError, ParseError) as error:
        raise SourceError(
            f"{where} answered something else than its API ({type(error).__name__}). "
            "Is a proxy or a sign-in page in the way?"
        ) from None


def _refused(where: str, role: str, error: Any) -> SourceError:
    status, said = int(getattr(error, "code", None) or 0), _said(error)
    if status in (401, 403) and not any(word in said for word in _THROTTLED):
        return AuthenticationError(
            f"{where} refused the credentials (HTTP {status}). Give the account {role}. It said: {said}"
        )
    if status in (400, 404, 409, 412):
        return RefusedRequestError(status, f"{where} answered HTTP {status}: {said}")
    return SourceError(f"{where} did not deliver (HTTP {status}): {said}. Run again when it is well.")


def _said(error: Any) -> str:
    reasons = [str(entry.get("reason", "")) for entry in getattr(error, "errors", ()) if isinstance(entry, dict)]
    words = " ".join([*filter(None, reasons), str(getattr(error, "message", error))])
    return " ".join("".join(sign if sign.isprintable() else " " for sign in words).split())[:_SAID_CHARACTERS]
