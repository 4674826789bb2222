"""Asking Helicone's API for the requests of a window, by offset, while rows may still move.

The table behind the API is merged while it is read: a repeated row disappears, and the rows behind it come one place
nearer. Pages therefore overlap, and a page without any row of the one before it is noticed.

Here belongs: the query, the way through pages. Here does not belong: what a row says.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from connectors.base import IncompleteDeliveryError, SourceError, Window
from connectors.helicone.settings import HeliconeSettings
from connectors.http import HttpSession, Pace
from connectors.logs.values import json_value

_MOST_PAGES = 100_000
_PATH = "/v1/request/query-clickhouse"

Row = Mapping[str, Any]


def session_of(settings: HeliconeSettings, pace: Pace) -> HttpSession:
    """A session with the organisation's key."""
    key = settings.api_key.get_secret_value()
    return HttpSession(headers={"Authorization": f"Bearer {key}", "Accept": "application/json"}, pace=pace)


def requests_of(session: HttpSession, settings: HeliconeSettings, window: Window) -> Iterator[Row]:
    """Every request of the window, in the order of their start.

    Raises IncompleteDeliveryError when rows moved further than pages overlap, or pages do not end.
    """
    start = window.start
    while start < window.end:
        end = min(start + timedelta(hours=settings.hours_per_query), window.end)
        yield from _walked(session, settings, Window(start, end))
        start = end


def page_of(session: HttpSession, settings: HeliconeSettings, window: Window, offset: int, limit: int) -> list[Row]:
    """One page. Raises SourceError when the answer says an error."""
    url = f"{settings.url}{_PATH}"
    body = {
        "filter": {
            "left": {"request_response_rmt": {"request_created_at": {"gte": _instant(window.start)}}},
            "operator": "and",
            "right": {"request_response_rmt": {"request_created_at": {"lt": _instant(window.end)}}},
        },
        "offset": offset,
        "limit": limit,
        "sort": {"created_at": "asc"},
        "includeInputs": False,
    }
    answer = json_value(session.post(url, body).body)
    found = cast("Row", answer) if isinstance(answer, dict) else {}
    if found.get("error") is not None or not isinstance(found.get("data"), list):
        raise SourceError(f"{url}: the answer is no list of requests; run again, and check the address if it stays")
    return [cast("Row", row) if isinstance(row, dict) else {} for row in cast("list[object]", found["data"])]


def _walked(session: HttpSession, settings: HeliconeSettings, window: Window) -> Iterator[Row]:
    limit = settings.rows_per_page
    overlap = max(limit // 10, 1)
    seen: set[str] = set()
    offset = 0
    for _ in range(_MOST_PAGES):
        # A page may hold less than its limit although more follow: repeated rows are taken out of it.
        rows = page_of(session, settings, window, offset, limit)
        if not rows:
            return
        new = [row for row in rows if _identity(row) not in seen]
        if seen and len(new) == len(rows):
            raise IncompleteDeliveryError(
                f"{settings.url}: rows moved while {window.start} to {window.end} was read. Nothing was committed; run "
                "again, with smaller hours_per_query if it stays."
            )
        if not new and len(rows) > overlap:
            raise IncompleteDeliveryError(
                f"{settings.url}: the same page came again at offset {offset}. Nothing was committed; run again."
            )
        seen.update(map(_identity, new))
        yield from new
        offset += limit - overlap
    raise IncompleteDeliveryError(f"{settings.url}: more than {_MOST_PAGES} pages; ask for less with hours_per_query")


def _identity(row: Row) -> str:
    return str(row.get("request_id") or sorted(row.items(), key=str))


def _instant(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='milliseconds')}Z"
