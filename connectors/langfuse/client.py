"""Asking Langfuse's public API: rows of one time window, page by page along a cursor.

Here belongs: the address, the way through pages, refusals. Here does not belong: what a row says.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from pydantic import SecretStr

from connectors.base import IncompleteDeliveryError, RefusedRequestError, SourceError
from connectors.http import HttpSession, Pace, Turn, paginate
from connectors.logs.values import json_value

MOST_PAGES = 100_000

Row = Mapping[str, Any]


def session_of(public_key: str, secret_key: SecretStr, pace: Pace) -> HttpSession:
    """A session with the project's keys."""
    keys = (public_key, secret_key.get_secret_value())
    return HttpSession(headers={"Accept": "application/json"}, basic_auth=keys, pace=pace)


def instant_text(moment: datetime) -> str:
    """A naive UTC datetime as the API takes it."""
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def rows_of(session: HttpSession, url: str, params: Mapping[str, str]) -> Iterator[Row]:
    """Every row of the answer, in the order of the pages.

    Raises IncompleteDeliveryError when a cursor repeats or a page holds no rows of JSON, RefusedRequestError when the
    project's Langfuse does not know the address.
    """

    def next_page(cursor: str | None) -> Turn[list[Row], str | None]:
        answer = session.get(url, {**params, "cursor": cursor} if cursor else params)
        rows, meta = _page(answer.body, url)
        found = meta.get("cursor")
        return Turn(rows, found if isinstance(found, str) and found else None)

    for page in paginate(cast("str | None", None), next_page, MOST_PAGES):
        yield from page


def not_known(error: RefusedRequestError, remedy: str) -> SourceError:
    """The words for an address that this Langfuse does not have."""
    return SourceError(f"{error} {remedy}") if error.status == 404 else error


def _page(body: bytes, url: str) -> tuple[list[Row], Row]:
    page = json_value(body)
    rows = cast("Row", page).get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise IncompleteDeliveryError(f"{url}: the answer is no page of rows ('data' and 'meta'); run again")
    meta = cast("Row", page).get("meta")
    objects = [cast("Row", row) if isinstance(row, dict) else {} for row in cast("list[object]", rows)]
    return objects, cast("Row", meta) if isinstance(meta, dict) else {}
