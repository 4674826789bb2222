"""One answer of either API as entries: a bucket's instants and the flat fields of one result.

The older reports nest results in buckets; the analytics reports are flat rows of a group and its usage or cost.

Here belongs: the answers' shape, and whether the pages of a report are all there. Here does not belong: what the fields
mean.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, cast

from connectors.base import Body, IncompleteDeliveryError, LandedPage, SourceError, Window
from connectors.exact import read_time
from connectors.fields import shown
from connectors.gathered import read_document
from connectors.intervals import first_gap

Fields = Mapping[str, Any]
_INSTANTS = ("starting_at", "ending_at")
_PARTS = ("group", "usage", "cost")


@dataclass(frozen=True)
class Envelope:
    """An answer's outer fields. `rows` are buckets or flat rows."""

    rows: list[Any]
    has_more: bool
    next_page: str | None


@dataclass(frozen=True)
class Entry:
    """One result, the `number`th of its page from 1. `start` and `end` are None where unreadable.

    `fields` is None where the result is no object; `found` is the result as it came, in its bucket.
    """

    number: int
    start: datetime | None
    end: datetime | None
    fields: Fields | None
    found: Fields


@dataclass(frozen=True)
class Answer:
    """A page, read. `buckets` are what its buckets span, in order, those without results too; flat rows have none."""

    page_id: str
    name: str
    entries: list[Entry]
    has_more: bool
    buckets: tuple[tuple[datetime, datetime], ...] = ()


@dataclass
class Report:
    """What the pages of one report cover, whatever their order."""

    buckets: set[tuple[datetime, datetime]] = field(default_factory=set[tuple[datetime, datetime]])
    spans: set[tuple[datetime, datetime]] = field(default_factory=set[tuple[datetime, datetime]])
    announcing: str | None = None
    is_ended: bool = False

    def add(self, answer: Answer) -> None:
        """Takes a page of the report."""
        if answer.has_more:
            self.announcing = answer.name
        else:
            self.is_ended = True
        for before, after in pairwise(answer.buckets):
            if before == after:
                raise IncompleteDeliveryError(
                    f"{answer.name}: the bucket that begins {before[0]} stands twice in one page, and would count "
                    "twice. Nothing was committed; fetch the window again."
                )
        self.buckets.update(answer.buckets)
        self.spans |= {(e.start, e.end) for e in answer.entries if e.start is not None and e.end is not None}

    def require_whole(self, window: Window) -> None:
        """Raises IncompleteDeliveryError when the last page is not there, or buckets overlap or leave a gap."""
        if self.announcing is not None and not self.is_ended:
            raise IncompleteDeliveryError(
                f"{self.announcing}: has_more is true, and there is no last page: the download stopped too early. "
                "Nothing was committed; fetch the window again, to its last page."
            )
        if gap := first_gap(self.buckets, window.start, window.end):
            raise IncompleteDeliveryError(
                f"there is no bucket from {gap[0]} to {gap[1]} (UTC), and time without use has empty ones. "
                "Nothing was committed; fetch the window again, with all its pages."
            )
        spans = sorted(self.spans)
        for (start, end), (after, _) in pairwise(spans):
            if after < end:
                raise IncompleteDeliveryError(
                    f"two buckets cover the same time: one begins {start}, one {after}, before the first ends. Answers "
                    "of two downloads lie together: delete the window's folder and fetch it again."
                )

    @property
    def reaches(self) -> datetime | None:
        """Up to when its buckets go; None where it has none."""
        return max((end for _, end in self.buckets), default=None)


def read_answer(page: LandedPage) -> Answer:
    """The page's entries. Raises as `read_envelope` does."""
    outer = read_envelope(page.body, page.name)
    entries = [_entry(number, *found) for number, found in enumerate(_results(outer.rows, page.name), 1)]
    return Answer(page.page_id, page.name, entries, outer.has_more, tuple(sorted(_buckets(outer.rows))))


def _buckets(rows: list[Any]) -> Iterator[tuple[datetime, datetime]]:
    for row in rows:
        if isinstance(row, dict) and "results" in row:
            start, end = (_instant(row, name) for name in _INSTANTS)
            if start is not None and end is not None:
                yield start, end


def read_envelope(body: Body, name: str) -> Envelope:
    """The outer fields of an answer.

    Raises IncompleteDeliveryError when it is cut off, SourceError when it is none of these reports.
    """
    found = read_document(body, name)
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise SourceError(f"{name}: expected a report with a list of 'data'; found {shown(found)}")
    fields = cast("Fields", found)
    return Envelope(rows, fields.get("has_more") is True, fields.get("next_page") or None)


def _results(rows: list[Any], name: str) -> Iterator[tuple[Fields, Any]]:
    """Every result with its bucket; a flat row is its own bucket."""
    for row in rows:
        if not isinstance(row, dict) or "results" not in row:
            yield {}, row
        elif isinstance(row["results"], list):
            bucket = {part: value for part, value in row.items() if part != "results"}
            yield from ((bucket, result) for result in row["results"])
        else:
            raise SourceError(f"{name}: expected a list of 'results' in a bucket; found {shown(row)}")


def _entry(number: int, bucket: Fields, result: Any) -> Entry:
    is_readable = isinstance(result, dict)
    found = {**bucket, **result} if is_readable else {**bucket, "result": result}
    fields = {name: value for name, value in found.items() if name not in (*_INSTANTS, *_PARTS)}
    for part in _PARTS:
        fields |= inner if isinstance(inner := found.get(part), dict) else {}
    start, end = (_instant(found, name) for name in _INSTANTS)
    return Entry(number, start, end, fields if is_readable else None, found)


def _instant(fields: Fields, name: str) -> datetime | None:
    found = fields.get(name)
    return read_time(found) if isinstance(found, str) else None
