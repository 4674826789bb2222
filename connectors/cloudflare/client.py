"""Asking one gateway: its log between two instants, page by page, and how much of it the gateway keeps.

Here belongs: addresses, parameters, paging, and noticing a listing that shifts. Here does not belong: what a row means.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self, cast

import orjson

from connectors.base import IncompleteDeliveryError, SourceError, Window
from connectors.cloudflare.settings import CloudflareSettings
from connectors.fields import shown
from connectors.http import HttpSession, Pace, Params, Turn, paginate
from connectors.logs.instants import instant_of, microseconds
from connectors.logs.values import json_value

ROWS_PER_PAGE = 50  # the most that the API gives
SECONDS_BETWEEN = 0.25  # 1,200 requests in five minutes are allowed, to all programs of a user together
_MOST_PAGES = 500_000
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)  # bounds may be compared without their fractions

Row = Mapping[str, Any]


class Listing(NamedTuple):
    """One page of the log. `total` is how many rows the whole listing has by the API's own word."""

    rows: list[Row]
    total: int | None


class Kept(NamedTuple):
    """How many rows the gateway may keep, and what it does beyond them; None where it does not say."""

    most_rows: int | None
    strategy: str | None


@dataclass
class Client:
    """A session with a token. A context manager."""

    settings: CloudflareSettings
    pace: Pace

    def __enter__(self) -> Self:
        token = self.settings.api_token.get_secret_value()
        self._session = HttpSession(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}, pace=self.pace
        )
        self._gateway = (
            f"{self.settings.url}/accounts/{self.settings.account_id}/ai-gateway/gateways/{self.settings.gateway_id}"
        )
        self._asked = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    def kept(self) -> Kept:
        """What the gateway's own settings say of its log."""
        found = self._envelope(self._gateway, {}).get("result")
        if not isinstance(found, Mapping):
            raise SourceError(f"{self._gateway} gave {_kind(found)} where the gateway's settings were expected")
        said = cast("Row", found)
        most, strategy = said.get("log_management"), said.get("log_management_strategy")
        return Kept(most if isinstance(most, int) else None, strategy if isinstance(strategy, str) else None)

    def edge(self, *, newest: bool) -> Listing:
        """The newest or the oldest row that is kept, and how many there are."""
        return self._listing({**_ordered("desc" if newest else "asc"), "page": "1", "per_page": "1"})

    def rows(self, window: Window) -> Iterator[Row]:
        """Every row that was logged in the window, oldest first.

        Raises IncompleteDeliveryError when rows of the window were deleted while it was read, or a page repeats:
        others were skipped then.
        """
        walk = _Walk(window, stored=self.edge(newest=True).total)
        params = {**_ordered("asc"), "per_page": str(ROWS_PER_PAGE), "filters": _between(window)}
        for listing in paginate(1, self._turn(params, walk), _MOST_PAGES):
            yield from (row for row in listing.rows if walk.holds(row))
        walk.require_whole()

    def _turn(self, params: Params, walk: "_Walk") -> Callable[[int], Turn[Listing, int]]:
        def turn(number: int) -> Turn[Listing, int]:
            found = self._listing({**params, "page": str(number)})
            more = walk.add(number, found)
            return Turn(found, number + 1 if more else None, more)

        return turn

    def _listing(self, params: Params) -> Listing:
        where = f"{self._gateway}/logs"
        said = self._envelope(where, params)
        rows, about = said.get("result"), said.get("result_info")
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in cast("list[object]", rows)):
            raise SourceError(f"{where}: 'result' is {_kind(rows)}; a list of rows was expected")
        total = cast("Row", about).get("total_count") if isinstance(about, Mapping) else None
        return Listing(cast("list[Row]", rows), total if isinstance(total, int) else None)

    def _envelope(self, where: str, params: Params) -> Row:
        if self._asked:
            self.pace.sleep(SECONDS_BETWEEN)
        self._asked += 1
        found = json_value(self._session.get(where, params).body)
        said = cast("Row", found) if isinstance(found, dict) else {}
        if said.get("success") is not True:
            raise SourceError(f"{where} did not succeed; of errors it says {shown(said.get('errors'))}")
        return said


@dataclass
class _Walk:
    """What has been read of a listing so far. Rows are told apart by their ids; `stored` is how many there are in all.

    Where the API gives the same total for the window as for all rows, it does not count the window.
    """

    window: Window
    stored: int | None
    total: int = 0

    def __post_init__(self) -> None:
        self._ids: set[str] = set()

    def add(self, number: int, found: Listing) -> bool:
        """Takes a page in; whether another one follows."""
        before = len(self._ids)
        for place, row in enumerate(found.rows):
            self._require_inside(row)
            self._ids.add(str(row.get("id") or (number, place)))
        if found.rows and len(self._ids) == before:
            raise IncompleteDeliveryError(
                f"page {number} of the log holds nothing but rows that were already read: the API does not turn its "
                "pages. Nothing was committed; run again."
            )
        self.total = max(self.total, found.total or 0)
        return len(found.rows) == ROWS_PER_PAGE

    def require_whole(self) -> None:
        """Raises IncompleteDeliveryError where fewer rows came than the API counts in the window."""
        if self.stored is not None and len(self._ids) < self.total < self.stored:
            raise IncompleteDeliveryError(
                f"the gateway counts {self.total:,} rows from {self.window.start} to {self.window.end}, and "
                f"{len(self._ids):,} of them came: rows were deleted while it was read. Nothing was committed; what "
                "was delivered before stands. Run again."
            )

    def holds(self, row: Row, slack: timedelta = timedelta()) -> bool:
        """Whether a row is of the window, or has no readable time: then it is taken, to be refused."""
        created = microseconds(row.get("created_at"))
        start, end = instant_of(self.window.start - slack), instant_of(self.window.end + slack)
        return created is None or start <= created < end

    def _require_inside(self, row: Row) -> None:
        """A filter that the API does not understand gives the whole log, and must not be taken for a day of it."""
        if not self.holds(row, _SECOND):
            raise SourceError(
                f"the gateway was asked for rows from {self.window.start} to {self.window.end} and gave one of "
                f"{shown(row.get('created_at'))}: it does not filter as its documentation says. Report it."
            )


def _kind(found: object) -> str:
    """What was found, without repeating it: rows may hold anything."""
    return "nothing" if found is None else f"a {type(found).__name__}"


def _ordered(direction: str) -> dict[str, str]:
    return {"order_by": "created_at", "order_by_direction": direction}


def _between(window: Window) -> str:
    """The window as the API's filters, which know no `at least`: its first millisecond has to be after another one."""
    bounds = (("gt", window.start - _MILLISECOND), ("lt", window.end))
    filters = [{"key": "created_at", "operator": sign, "value": [_written(moment)]} for sign, moment in bounds]
    return orjson.dumps(filters).decode()


def _written(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='milliseconds')}Z"
