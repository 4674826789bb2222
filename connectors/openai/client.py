"""Asking the API: one chain of pages for each question, at a pace that its limits allow.

Here belongs: addresses, parameters, cursors and refusals. Here does not belong: what the answers mean.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Self

from connectors.base import AuthenticationError, Bytes, Page, RefusedRequestError, SourceError, Window
from connectors.http import HttpSession, Pace
from connectors.openai.pages import BucketPage, read_page
from connectors.openai.settings import OpenAiSettings
from connectors.paging import Turn, paginate

MOST_BUCKETS = {"1m": 1440, "1h": 168, "1d": 31}
"""Buckets that a page of usage holds at most, by their width."""
MOST_COST_BUCKETS = 180
MOST_PROJECTS = 100
MOST_PAGES = 10_000
SECONDS_BETWEEN = 1.0  # limits are not published; one request a second is the pace that the documentation suggests
_PROBED = datetime(2025, 1, 1)  # noqa: DTZ001 - UTC; any day will do, and no clock is read here

Params = dict[str, str | Sequence[str]]


class Client:
    """A session with the organisation's key. A context manager."""

    def __init__(self, settings: OpenAiSettings, pace: Pace) -> None:
        key = settings.admin_key.get_secret_value() if settings.admin_key else ""
        self._session = HttpSession(headers={"Authorization": f"Bearer {key}", "Accept": "application/json"}, pace=pace)
        self._url, self._pace, self._asked = settings.url, pace, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    def chain(self, path: str, params: Params, cursor: str = "page") -> Iterator[Page]:
        """Every page of one question, first to last.

        Args:
            path: Below the API's version.
            params: The question; it is repeated to the letter for every page.
            cursor: The parameter that names the next page.

        Raises:
            IncompleteDeliveryError: The chain does not come to its end.
            AuthenticationError: The key is none that may ask this.
            RefusedRequestError: The question is refused.
        """
        numbers = iter(range(1, MOST_PAGES + 1))

        def turn(at: str | None) -> Turn[Page, str | None]:
            name = f"{path}/page-{next(numbers)}"
            content = Bytes(self._get(path, params if at is None else {**params, cursor: at}))
            page = read_page(content, name)
            follows = page.next_page if isinstance(page, BucketPage) else page.last_id
            return Turn(Page(name, content), follows if page.has_more else None, page.has_more)

        return paginate(None, turn, MOST_PAGES)

    def probe(self, path: str) -> str:
        """Asks for one old bucket: whether the key may. One line."""
        self._get(path, {"start_time": epoch(_PROBED), "limit": "1"})
        return f"{self._url} answers {path} to this key"

    def _get(self, path: str, params: Params) -> bytes:
        if self._asked:
            self._pace.sleep(SECONDS_BETWEEN)
        self._asked += 1
        try:
            return self._session.get(f"{self._url}/{path}", params).body
        except AuthenticationError as error:
            raise AuthenticationError(
                f"{error} Usage and costs are told to an Admin key alone (Organization settings, Admin keys; scope "
                "api.usage.read); the key of a project does not do."
            ) from None


def span(window: Window, limit: int, group_by: Sequence[str], bucket_width: str) -> Params:
    """The parameters that every question about a stretch of time has; `limit` counts buckets."""
    return {
        "start_time": epoch(window.start),
        "end_time": epoch(window.end),
        "bucket_width": bucket_width,
        "limit": str(limit),
        "group_by[]": list(group_by),
    }


def epoch(naive: datetime) -> str:
    """Seconds since 1970, as the API takes them."""
    return str(int(naive.replace(tzinfo=UTC).timestamp()))


def unknown_endpoint(error: RefusedRequestError, name: str) -> SourceError:
    """The words for an endpoint that this organisation, or its API, does not have."""
    return SourceError(f"{error} If the organisation does not have it, take {name!r} out of the setting 'endpoints'.")
