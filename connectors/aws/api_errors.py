"""What AWS's client raises, in words for people: what was asked, what came back, what to do. Never a secret.

Here belongs: telling refused credentials, refused requests and trouble apart. Here does not belong: trying again, which
AWS's client does by its own rules before it raises.
"""

from dataclasses import dataclass
from typing import Any

from connectors.aws.api_settings import AwsApiSettings
from connectors.base import AuthenticationError, RefusedRequestError, SourceError
from connectors.fields import printable

_CREDENTIALS = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
        "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException",
        "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired",
        "SignatureDoesNotMatch", "UnauthorizedOperation", "UnrecognizedClientException",
    }
)  # fmt: skip
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
        "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown", "Throttling",
        "ThrottledException", "ThrottlingException", "TooManyRequestsException", "429",
    }
)  # fmt: skip
_NO_CREDENTIALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"}
)
_IN_XML = frozenset({"ec2", "sts"})
_NO_ANSWER = frozenset({"ResponseParserError", "KeyError", "TypeError", "AttributeError"})
_MOST_WORDS = 300


@dataclass
class Seen:
    """What the client was asked for, and the status of the last answer."""

    service: str
    region: str
    settings: AwsApiSettings
    status: int = 0
    is_cut: bool = False

    def note(self, response_dict: dict[str, Any], **_: Any) -> None:
        """Takes the status, and whether the body is as long as it was announced to be.

        The client stumbles over a failing server's web page; without it, it sees that the server failed.
        """
        body, headers = bytes(response_dict.get("body") or b""), response_dict["headers"]
        self.status = int(response_dict["status_code"])
        self.is_cut = int(headers.get("Content-Length") or len(body)) != len(body)
        if self.status >= 500 and not body.lstrip().startswith((b"<?xml", b"<Response", b"<ErrorResponse")):
            response_dict["body"] = b"" if self.service in _IN_XML else body

    @property
    def where(self) -> str:
        """The service, for messages."""
        return f"AWS {self.service} in {self.region}"


def translated(error: Exception, seen: Seen, operation: str) -> SourceError:
    """The error in this house's classes."""
    if isinstance(error, SourceError):
        return error
    kind = type(error).__name__
    if kind in _NO_CREDENTIALS:
        return AuthenticationError(
            f"{seen.where}: no credentials were found ({kind}). Set 'access_key_id' and 'secret_access_key', or give "
            "the machine a role for 'credentials: ambient'."
        )
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return _answered(answer, seen, operation)
    if kind in _NO_ANSWER:
        if seen.status in (401, 403):
            return _refused(str(seen.status), seen, operation)
        return SourceError(
            f"{seen.where}: what answers {operation} (HTTP {seen.status}) is no API of AWS. Is a proxy or a sign-in "
            "page in the way?"
        )
    return SourceError(f"{seen.where}: {operation} failed: {_words(str(error), seen)} ({kind}). {_REACH}")


_REACH = "Is the region right, and can this machine reach AWS?"


def _answered(answer: dict[str, Any], seen: Seen, operation: str) -> SourceError:
    code = str(answer.get("Error", {}).get("Code", "without a code"))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", seen.status))
    said = _words(str(answer.get("Error", {}).get("Message", "")), seen)
    if code in _CREDENTIALS or status in (401, 403):
        return _refused(code, seen, operation)
    if code in _THROTTLED or status == 429:
        return SourceError(
            f"{seen.where}: {operation} was asked too often ({code}), again and again. Run the day later, or give the "
            "account fewer readers."
        )
    if status >= 500:
        return SourceError(f"{seen.where}: {operation} failed with HTTP {status} ({code}), again and again. Run later.")
    return RefusedRequestError(status, f"{seen.where}: {operation} was refused ({code}): {said}")


def _refused(code: str, seen: Seen, operation: str) -> AuthenticationError:
    """AWS's own words stay out: they quote what was signed."""
    action = "".join(word.title() for word in operation.split("_"))
    return AuthenticationError(
        f"{seen.where}: the credentials were refused ({code}). They need to be valid, and to allow "
        f"{seen.service}:{action}."
    )


def _words(said: str, seen: Seen) -> str:
    settings = seen.settings
    for secret in (settings.secret_access_key, settings.session_token, settings.access_key_id):
        if secret is not None and secret.get_secret_value():
            said = said.replace(secret.get_secret_value(), "***")
    return printable(" ".join(said.split()))[:_MOST_WORDS]
