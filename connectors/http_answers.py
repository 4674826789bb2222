"""What an answer says about itself, in words fit for people: how long to wait, what went wrong, what it began with.

Here belongs: reading headers and failures, and masking what must not be repeated. Here does not belong: asking.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

import httpx

EXCERPT_CHARACTERS = 300
SHORTEST_SECRET = 6  # shorter header and query values ("1", "json") are not masked: they would mask the message itself


@dataclass(frozen=True)
class Answer:
    """A whole answer: body after decompression, exactly as long as announced."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def excerpt(body: bytes, secrets: Iterable[str], request: httpx.Request) -> str:
    """The beginning of a body, on one line, without the header and query values that some servers repeat."""
    text = body[: EXCERPT_CHARACTERS * 8].decode("utf-8", "replace")
    text = re.sub(r"[\x00-\x20\x7f-\x9f]+", " ", text).strip()
    for secret in [*secrets, *(value for _, value in request.url.params.multi_items())]:
        for form in {secret, secret.partition(" ")[2], quote(secret), quote_plus(secret)}:
            if len(form) >= SHORTEST_SECRET:
                text = text.replace(form, "***")
    return text[:EXCERPT_CHARACTERS] or "(empty body)"


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait: `retry-after-ms`, else `Retry-After` as seconds or as a date, else None.

    A date is measured against the answer's own `Date`, so that no clock of ours comes into it. Each quota of Azure's
    has a header of its own, `x-ms-ratelimit-...-retry-after` in seconds: the longest wait of all counts.
    """
    folded = {name.lower(): value.strip() for name, value in headers.items()}
    quotas = [name for name in folded if name.startswith("x-ms-ratelimit-") and name.endswith("-retry-after")]
    asked = [_usual_wait(folded), *(_seconds(folded[name]) for name in quotas)]
    return max((wait for wait in asked if wait is not None), default=None)


def _usual_wait(folded: Mapping[str, str]) -> float | None:
    if (milliseconds := _seconds(folded.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    asked = folded.get("retry-after", "")
    if (seconds := _seconds(asked)) is not None:
        return seconds
    try:
        return max((parsedate_to_datetime(asked) - parsedate_to_datetime(folded["date"])).total_seconds(), 0.0)
    except (KeyError, TypeError, ValueError):
        return None


def _seconds(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def place(request: httpx.Request) -> str:
    """Where a request went, without query, user and password."""
    url = request.url
    return f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}{url.path}"


def transport_words(error: Exception) -> str:
    """What happened on the wire, in words; the library's own message may repeat an address."""
    for kind, words in (
        (httpx.ConnectTimeout, "no connection in time"),
        (httpx.ReadTimeout, "silence for too long"),
        (httpx.ConnectError, "no connection"),
        (httpx.RemoteProtocolError, "the connection ended before the answer was complete"),
        (httpx.DecodingError, "the compressed body is damaged"),
    ):
        if isinstance(error, kind):
            return words
    return f"the connection broke ({type(error).__name__})"
