"""One value of one series at one instant, and what a connector says about the series that it wants.

Here belongs: the words that both ways share. Here does not belong: lines (exposition) and answers (server).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

Subject = TypeVar("Subject")


class UnreadableError(ValueError):
    """A line or series that cannot be read: its reason for the reject, and the words for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Reading(NamedTuple, Generic[Subject]):
    """One value.

    `row` is the line in a scrape or the ordinal of the value in an answer, from 1. `text` is the value as it was
    written. `payload` is the line, or the labels of the answer's series: for a reject.
    """

    row: int
    metric: str
    subject: Subject
    millisecond: int
    value: float
    text: str
    payload: str


@dataclass
class Reader(Generic[Subject]):
    """What a connector wants of pages. One for a whole parse: it remembers what it learned.

    Attributes:
        wants: Whether a metric of that name is read. Lines of others must be well-formed; they are read over.
        learn: What a set of labels speaks of. Raises UnreadableError where they do not say enough. Lines of many
            metrics with the same labels to the letter share one call: the metric's name is among the labels only
            where the source is a server.
    """

    wants: Callable[[str], bool]
    learn: Callable[[Mapping[str, str]], Subject]
    wanted: dict[str, bool] = field(default_factory=dict)
    known: dict[str, Subject] = field(default_factory=dict)


def milliseconds(naive: datetime) -> int:
    """Milliseconds since 1970 of a UTC instant without a zone."""
    return round(naive.replace(tzinfo=UTC).timestamp() * 1000)
