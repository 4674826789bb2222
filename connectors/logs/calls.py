"""What a gateway's log says of an HTTP call: its operation, how it ended, how long it took.

Here belongs: what access logs have in common. Here does not belong: which of their fields says it.
"""

import re
from urllib.parse import unquote

from connectors.logs.values import WITHHELD

OTHER = "other"
_STREAMED = {"text/event-stream": True, "application/vnd.amazon.eventstream": True, "application/json": False}
_WITHOUT_OUTPUT = re.compile("embed|moderation|rerank", re.IGNORECASE)
_OPERATIONS = (
    "chat/completions",
    "completions",
    "embeddings",
    "messages/count_tokens",
    "messages",
    "responses",
    "rerank",
    "moderations",
    "images/generations",
    "images/edits",
    "images/variations",
    "audio/speech",
    "audio/transcriptions",
    "audio/translations",
    "batches",
    "realtime",
    "generateContent",
    "streamGenerateContent",
    "embedContent",
    "predict",
    "rawPredict",
    "streamRawPredict",
    "converse",
    "converse-stream",
    "invoke",
    "invoke-with-response-stream",
)


def operation(value: object) -> object:
    """The rule of a request's path: the model operation at its end, or `other`. Nothing else of a path is landed.

    Paths hold ids and names that callers choose, and queries hold keys.
    """
    if not isinstance(value, str):
        return None if value is None else WITHHELD
    path = f"/{unquote(value.partition('?')[0])}".rstrip("/")
    return next((name for name in _OPERATIONS if path.endswith((f"/{name}", f":{name}"))), OTHER if value else None)


def has_output(*told: object) -> bool:
    """Whether a call answers in tokens, by whatever tells its kind: its type, its path, its model's name.

    Embeddings, moderation and reranking do not, and few logs then state an output of zero.
    """
    return not any(isinstance(word, str) and _WITHOUT_OUTPUT.search(word) for word in told)


def streamed(value: object) -> object:
    """The rule of an answer's content type: whether it is a stream of events, and nothing else of it is landed.

    An answer that is one JSON object is none; of other kinds it is not known.
    """
    if not isinstance(value, str):
        return None if value is None else WITHHELD
    return _STREAMED.get(value.partition(";")[0].strip().lower())


def is_streaming(called: str | None) -> bool | None:
    """True for an operation that always streams, as those of Google and Amazon do; None for one that may."""
    return True if called is not None and "stream" in called.lower() else None


def status_of(code: int | str | None) -> str | None:
    """Whether a call succeeded, by its HTTP status; 0 is a call that nobody answered. None where it is not told."""
    if not isinstance(code, int):  # a number beyond all codes is landed as text
        return None
    return "success" if 200 <= code < 400 else "failure"


def later(started: int | None, milliseconds: float | None) -> int | None:
    """The instant so many milliseconds later, in microseconds; None where either is unknown or the time runs back."""
    if started is None or milliseconds is None or milliseconds < 0:
        return None
    return started + round(milliseconds * 1000)


def number(value: object) -> object:
    """The rule of a measured number, such as a duration: fractions are allowed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None if value is None else WITHHELD
    return value if abs(value) < 2**53 else WITHHELD


def length(value: object) -> object:
    """The rule of a list of which only the length may be landed."""
    return len(value) if isinstance(value, list) else None if value is None else WITHHELD
