"""One HTTP session for every connector: timeouts, bounded retries, size and time limits, errors without secrets.

Here belongs: asking a server again and when to stop, telling transient from final.
Here does not belong: what a page means (that is its connector's), the clock (sleeping and measuring are parameters).
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import httpx

from connectors.base import AuthenticationError, RefusedRequestError, SourceError
from connectors.http_answers import Answer, excerpt, place, retry_after_seconds, transport_words
from connectors.paging import Turn, paginate
from connectors.patience import current_patience

__all__ = ["Answer", "HttpSession", "Limits", "Pace", "Turn", "paginate", "retry_after_seconds"]

FINAL_SERVER_ERRORS = frozenset({501, 505})  # "I cannot do that": asking again does not help
TRANSIENT_CLIENT_ERRORS = frozenset({408, 425, 429})
MAX_REDIRECTS = 5

Params = Mapping[str, str | Sequence[str]]
"""Query parameters; one with several values is repeated."""


@dataclass(frozen=True)
class Limits:
    """Bounds on one request, tries included.

    Eight tries and ten minutes ride out a restart or a deployment of the source, and leave the night its length.
    """

    tries: int = 8
    total_seconds: float = 600.0
    answer_seconds: float = 180.0  # one answer, first byte to last: a server that drips bytes never times out otherwise
    connect_seconds: float = 10.0
    read_seconds: float = 60.0  # silence between two reads
    answer_bytes: int = 256 * 1024 * 1024  # after decompression
    backoff_seconds: float = 1.0
    longest_backoff_seconds: float = 60.0


@dataclass(frozen=True)
class Pace:
    """How a session waits: parameters, so that tests need not, and no logic reads a clock."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random


class _TransientError(Exception):
    """A failure worth another try. `wait_seconds`: what the server asked for."""

    def __init__(self, found: str, wait_seconds: float | None = None) -> None:
        super().__init__(found)
        self.found = found
        self.wait_seconds = wait_seconds


class HttpSession:
    """Requests with one set of headers and credentials. A context manager; it holds connections, nothing else."""

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        basic_auth: tuple[str, str] | None = None,
        limits: Limits | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._pace = pace or Pace()
        self._secrets = [*(headers or {}).values(), *(basic_auth or ())]
        self._client = httpx.Client(
            headers=dict(headers or {}),
            auth=basic_auth,
            timeout=httpx.Timeout(self._limits.read_seconds, connect=self._limits.connect_seconds),
            trust_env=False,  # no proxy, no .netrc credentials from the environment: settings say it all
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, params: Params | None = None, *, expect: Literal["json", "any"] = "json") -> Answer:
        """Fetches a document, trying again what is worth it.

        Args:
            url: Address without query.
            params: Query parameters. They never appear in a message.
            expect: `json` refuses a web page (a proxy's or a sign-in's) that comes with status 200.

        Raises:
            AuthenticationError: 401 or 403, at once.
            RefusedRequestError: Another refusal of the request.
            SourceError: A redirect elsewhere, an answer too large, or tries and time used up.
        """
        return self._request("GET", url, params, None, expect)

    def post(
        self,
        url: str,
        body: Mapping[str, Any],
        params: Params | None = None,
        *,
        expect: Literal["json", "any"] = "json",
    ) -> Answer:
        """Asks with a JSON body; only for questions, as it may be asked more than once. Otherwise like `get`."""
        return self._request("POST", url, params, body, expect)

    def _request(
        self, method: str, url: str, params: Params | None, body: Mapping[str, Any] | None, expect: str
    ) -> Answer:
        started = self._pace.monotonic()
        request = self._client.build_request(method, url, params=dict(params or {}), json=body)
        patience = current_patience()
        tries = patience.tries(self._limits.tries)
        for attempt in range(1, tries + 1):
            try:
                answer = self._follow(request, started)
            except _TransientError as failure:
                patience.is_spent = True  # until an answer says otherwise
                self._wait(failure, (attempt, tries), started, request)
                continue
            patience.is_spent = False
            if expect == "json":
                self._require_json(answer, request)
            return answer
        raise AssertionError("unreachable: the last failed try raises")  # pragma: no cover

    def _follow(self, request: httpx.Request, started: float) -> Answer:
        """Sends, and follows redirects that stay where the credentials belong."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._send(request, started)
            location = answer.headers.get("location")
            if not (300 <= answer.status < 400 and location):
                self._refuse(answer, request)
                return answer
            request = self._redirected(request, location)
        raise SourceError(f"{place(request)} redirects more than {MAX_REDIRECTS} times. Check the address.")

    def _redirected(self, request: httpx.Request, location: str) -> httpx.Request:
        old, new = request.url, request.url.join(location)
        same_place = (old.scheme, old.host, old.port) == (new.scheme, new.host, new.port)
        upgraded = old.host == new.host and (old.scheme, new.scheme) == ("http", "https")
        if not (same_place or upgraded):
            raise SourceError(
                f"{place(request)} redirects to {new.scheme}://{new.host}, and credentials are not taken elsewhere. "
                "If that is the right address, configure it."
            )
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        return self._client.build_request(request.method, new, content=request.content, headers=headers)

    def _send(self, request: httpx.Request, started: float) -> Answer:
        left = self._limits.total_seconds - (self._pace.monotonic() - started)
        deadline = self._pace.monotonic() + min(self._limits.answer_seconds, max(left, 0.0))
        try:
            response = self._client.send(request, stream=True)
            try:
                return Answer(response.status_code, response.headers, self._read(response, deadline))
            finally:
                response.close()
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise SourceError(f"{place(request)} cannot be asked: {type(error).__name__}. Check the address.") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TransientError(transport_words(error)) from None

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        """The body, within the size and time limits. h11 itself raises when it is shorter than announced."""
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > self._limits.answer_bytes:
                raise SourceError(
                    f"{place(response.request)} answered with more than {self._limits.answer_bytes:,} bytes. "
                    "Ask for a smaller window or page."
                )
            if self._pace.monotonic() > deadline:
                raise _TransientError(f"the answer was not complete after {self._limits.answer_seconds:g} s")
        return bytes(content)

    def _refuse(self, answer: Answer, request: httpx.Request) -> None:
        """Raises for every status but success."""
        status, said = answer.status, excerpt(answer.body, self._secrets, request)
        if status in (401, 403):
            raise AuthenticationError(
                f"{place(request)} refused the credentials (HTTP {status}). Check that the key is valid and has the "
                f"scope that the source's README names. It said: {said}"
            )
        if status in TRANSIENT_CLIENT_ERRORS or (status >= 500 and status not in FINAL_SERVER_ERRORS):
            raise _TransientError(f"HTTP {status}, {said}", retry_after_seconds(answer.headers))
        if not 200 <= status < 300:
            raise RefusedRequestError(status, f"{place(request)} answered HTTP {status}: {said}")

    def _wait(self, failure: _TransientError, count: tuple[int, int], started: float, request: httpx.Request) -> None:
        """Sleeps before the next try, or raises when tries or time are used up. `count`: this try, of how many."""
        attempt, tries = count
        ceiling = min(self._limits.longest_backoff_seconds, self._limits.backoff_seconds * 2 ** (attempt - 1))
        wait = self._pace.random() * ceiling
        if failure.wait_seconds is not None:
            wait += failure.wait_seconds  # jitter on top: a fleet told "in 30 s" must not come back in one instant
        spent = self._pace.monotonic() - started
        if attempt >= tries or spent + wait > self._limits.total_seconds:
            raise SourceError(
                f"{place(request)} did not deliver in {_tries(attempt)} and {spent:.0f} s (at most "
                f"{_tries(tries)}, {self._limits.total_seconds:.0f} s). Last: {failure.found}. "
                "Run again when the source is well."
            ) from None
        self._pace.sleep(wait)

    def _require_json(self, answer: Answer, request: httpx.Request) -> None:
        if answer.body.lstrip()[:1] not in (b"{", b"["):
            kind = answer.headers.get("content-type", "no content type")
            raise SourceError(
                f"{place(request)} answered HTTP {answer.status} with {kind} where JSON was expected: "
                f"{excerpt(answer.body, self._secrets, request)}. Is a proxy or a sign-in page in the way?"
            )


def _tries(count: int) -> str:
    return "1 try" if count == 1 else f"{count} tries"
