"""Pages of buckets, as every usage and cost endpoint answers: their envelope, and whether a chain of them is whole.

Here belongs: what a page says of itself. Here does not belong: what a bucket's results mean.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.base import Body, IncompleteDeliveryError, SourceError, Window
from connectors.fields import RowError, shown
from connectors.gathered import read_document
from connectors.intervals import first_gap
from connectors.openai.people import PERSONAL

_FIRST_SECOND = 1_420_070_400  # 2015-01-01: there was nothing to use before
_LAST_SECOND = 4_102_444_800  # 2100-01-01: catches milliseconds written as seconds


@dataclass(frozen=True)
class BucketPage:
    """A page. `buckets` are as they came; `has_more` and `next_page` are the source's own words."""

    name: str
    buckets: list[Any]
    has_more: bool
    next_page: str | None

    def results(self) -> Iterator[tuple[int, Any, Any]]:
        """(number from 1, bucket, result) of every result; a bucket that has no list of results counts as one.

        What a result says about people by name is left out: it is staged nowhere, and not repeated in a refusal.
        """
        number = 0
        for bucket in self.buckets:
            found = bucket.get("results") if isinstance(bucket, dict) else None
            for result in found if isinstance(found, list) else [None]:
                number += 1
                yield number, bucket, _impersonal(result)


def _impersonal(result: Any) -> Any:
    if not isinstance(result, dict):
        return result
    return {name: value for name, value in result.items() if name not in PERSONAL}


@dataclass(frozen=True)
class ProjectPage:
    """A page of the organisation's projects."""

    projects: list[Any]
    has_more: bool
    last_id: str | None


def read_page(body: Body, name: str) -> BucketPage | ProjectPage:
    """The page.

    Raises IncompleteDeliveryError when it is cut off, SourceError when it is no page of this API, an error say.
    """
    found = read_document(body, name)
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        error = found.get("error") if isinstance(found, dict) else None
        said = f"it says {shown(error)}" if error else f"it begins with {shown(found)}"
        raise SourceError(f"{name}: expected a page of usage or costs ('data' with buckets); {said}")
    has_more = found.get("has_more")
    if not isinstance(has_more, bool):
        raise SourceError(f"{name}: 'has_more' is {shown(has_more)}; true or false was expected. Is this a whole page?")
    cursor = found.get("last_id") if found.get("object") == "list" else found.get("next_page")
    if cursor is not None and not isinstance(cursor, str):
        raise SourceError(f"{name}: the cursor to the next page is {shown(cursor)}; text was expected")
    if found.get("object") == "list":
        return ProjectPage(found["data"], has_more, cursor)
    return BucketPage(name, found["data"], has_more, cursor)


def bucket_period(bucket: Any, window: Window) -> Window:
    """The stretch of time of a bucket. Raises RowError when it is unreadable or lies outside of the window."""
    if not isinstance(bucket, dict) or not isinstance(bucket.get("results"), list):
        raise RowError("unreadable_bucket", f"expected start_time, end_time and results, found {shown(bucket)}")
    start, end = (_instant(bucket, name) for name in ("start_time", "end_time"))
    if end <= start:
        raise RowError("period_not_forward", f"the bucket ends at {end}, and starts at {start}", "end_time")
    if not (window.start <= start and end <= window.end):
        raise RowError(
            "outside_window",
            f"the bucket is {start} to {end}, and the window {window.start} to {window.end}",
            "start_time",
        )
    return Window(start, end)


@dataclass(frozen=True)
class Link:
    """What is remembered of a page in a chain: whose it is (empty: it has no results), and what its buckets span."""

    name: str
    operation: str
    has_more: bool
    start: int | None
    end: int | None
    spans: tuple[tuple[int, int], ...] = ()
    is_readable: bool = True


def link_of(page: BucketPage, operation: str) -> Link:
    """The page as a part of a chain; instants are seconds, None where no bucket says any."""
    starts, ends = (
        [value for bucket in page.buckets if isinstance(bucket, dict) and type(value := bucket.get(name)) is int]
        for name in ("start_time", "end_time")
    )
    is_readable = len(starts) == len(ends) == len(page.buckets)
    spans = tuple(sorted(zip(starts, ends, strict=True))) if is_readable else ()
    _refuse_twins(page)
    return Link(
        page.name, operation, page.has_more, min(starts, default=None), max(ends, default=None), spans, is_readable
    )


def _refuse_twins(page: BucketPage) -> None:
    """Raises IncompleteDeliveryError where a bucket with results stands in a page more than once."""
    counted = Counter(
        (str(bucket.get("start_time")), str(bucket.get("end_time")))
        for bucket in page.buckets
        if isinstance(bucket, dict) and isinstance(found := bucket.get("results"), list) and found
        if all(isinstance(result, dict) for result in found)
    )
    for (start, end), times in counted.items():
        if times > 1:
            raise IncompleteDeliveryError(
                f"{page.name}: the bucket from {start} to {end} (seconds since 1970) stands {times} times in one page, "
                "and would count as often. Nothing was committed; fetch the window again."
            )


def require_whole(links: Sequence[Link]) -> None:
    """Raises IncompleteDeliveryError when a page announces another one and no page follows it."""
    for link in links:
        if link.has_more and not any(_follows(other, link) for other in links if other is not link):
            raise IncompleteDeliveryError(
                f"{link.name} announces another page ('has_more'), and none follows it. Nothing was committed; "
                "fetch the window again, to its last page."
            )


def require_no_gap(links: Sequence[Link], window: Window) -> None:
    """Raises IncompleteDeliveryError where buckets are missing between others: time without use has empty ones.

    Pages without results can be of any operation, so that they stand for each. A bucket that cannot be read may be the
    one that is missing, and is refused and told itself; those of another window are no part of this one.
    """
    if not all(link.is_readable for link in links):
        return
    first, last = (int(at.replace(tzinfo=UTC).timestamp()) for at in (window.start, window.end))
    for operation in sorted({link.operation for link in links}):
        spans = {span for link in links if link.operation in ("", operation) for span in link.spans}
        if gap := first_gap(spans, first, last):
            raise IncompleteDeliveryError(
                f"{operation or 'the report'}: there is no bucket from {_shown(gap[0])} to {_shown(gap[1])}, and "
                "time without use has empty ones. Nothing was committed; fetch the window again, to its last page."
            )


def reached(links: Sequence[Link]) -> datetime | None:
    """Up to when the answers go: where the first operation stops. None where no bucket tells."""
    shared = [link.end for link in links if not link.operation and link.end is not None]
    named = {link.operation for link in links if link.operation}
    ends = [
        max([*shared, *(link.end for link in links if link.operation == one and link.end is not None)], default=None)
        for one in named or {""}
    ]
    known = [end for end in ends if end is not None and end < _LAST_SECOND]
    return datetime.fromtimestamp(min(known), UTC).replace(tzinfo=None) if known else None


def _shown(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC" if second < _LAST_SECOND else str(second)


def _follows(other: Link, link: Link) -> bool:
    """Whether a page can be the next one. One without results can be anybody's: empty answers are all alike."""
    is_of_chain = not link.operation or other.operation in ("", link.operation)
    return is_of_chain and (link.end is None or other.start is None or other.start >= link.end)


def _instant(bucket: dict[str, Any], name: str) -> datetime:
    value = bucket.get(name)
    if type(value) is not int or not _FIRST_SECOND <= value < _LAST_SECOND:
        raise RowError("unreadable_time", f"{name} is {shown(value)}; seconds since 1970 were expected", name)
    return datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
