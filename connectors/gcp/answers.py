"""What Google's libraries make of bad answers: what is worth another try, and what people are told.

Here belongs: retries and errors. Here does not belong: credentials, what is asked.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.base import AuthenticationError, RefusedRequestError, SourceError
from connectors.deadline import DELIVERY_SECONDS, Clock, Deadline, begin_delivery

_WORTH_A_TRY = frozenset({408, 429, 500, 502, 503, 504})
_THROTTLED = ("rateLimitExceeded", "quotaExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED")
_SAID_CHARACTERS = 300


@dataclass(frozen=True)
class Patience:
    """How often and how long one answer is asked for, and how long a whole delivery may take."""

    tries: int = 8
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    total_seconds: float = 600.0
    answer_seconds: float = 60.0
    delivery_seconds: float = DELIVERY_SECONDS
    monotonic: Clock = time.monotonic

    def deadline(self) -> Deadline:
        """The deadline of a delivery that begins now."""
        return begin_delivery(self.monotonic, self.delivery_seconds)

    def retry(self) -> Any:
        """The libraries' own object for one request."""
        from google.api_core.retry import Retry

        return Retry(
            predicate=_at_most(self.tries),
            initial=self.first_wait_seconds,
            maximum=self.longest_wait_seconds,
            timeout=self.total_seconds,
        )


def _at_most(tries: int) -> Callable[[Exception], bool]:
    """Whether a failure is worth another try: one that passes, and not the last try."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import TransportError
    from requests.exceptions import ChunkedEncodingError, Timeout
    from requests.exceptions import ConnectionError as NoConnectionError

    failures = 0

    def is_worth(error: Exception) -> bool:
        nonlocal failures
        failures += 1
        # an AttributeError is the library's own, on an error whose body is a proxy's
        passes = isinstance(error, (AttributeError, TransportError, ChunkedEncodingError, NoConnectionError, Timeout))
        if isinstance(error, GoogleAPICallError):
            passes = int(error.code or 0) in _WORTH_A_TRY or any(word in _said(error) for word in _THROTTLED)
        return passes and failures < tries

    return is_worth


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
