"""Exports of Portkey's log: one job is drafted, started, waited for and downloaded for every window that it can hold.

Here belongs: the exchange and its limits. Here does not belong: what a row means.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from connectors.base import Bytes, IncompleteDeliveryError, RefusedRequestError, SourceError
from connectors.deadline import begin_delivery
from connectors.gathered import read_document
from connectors.http import HttpSession, Pace
from connectors.logs.files import Found, rows_of
from connectors.portkey.settings import PortkeySettings

MOST_ROWS = 50_000
"""What one export holds; more is left out without a word."""
ASKED = (
    *("id", "trace_id", "created_at", "is_success", "ai_org", "ai_model", "req_units", "res_units", "total_units"),
    *("request_url", "cost", "cost_currency", "response_time", "response_status_code", "mode", "config"),
    *("prompt_slug", "metadata"),
)
"""The fields that are asked for. `request` and `response`, which hold the bodies, never are."""

_SHORTEST = timedelta(seconds=1)
_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 30.0
_OVER = frozenset({"failed", "failure", "stopped", "cancelled"})


class Exports:
    """A session with the workspace's key. A context manager."""

    def __init__(self, settings: PortkeySettings, pace: Pace) -> None:
        key = settings.api_key.get_secret_value()
        self._session = HttpSession(headers={"x-portkey-api-key": key, "Accept": "application/json"}, pace=pace)
        self._deadline = begin_delivery(pace.monotonic, settings.export_minutes * 60.0)
        self._address = f"{settings.url}/logs/exports"
        self._settings, self._pace = settings, pace

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    def rows(self, start: datetime, end: datetime) -> Iterator[Found]:
        """Every row that was logged from `start` to before `end`, window by window as small as exports ask for.

        Raises SourceError where an export fails or does not end, or one second holds more than an export;
        IncompleteDeliveryError where it gives fewer rows than it announced.
        """
        waiting = [(start, end)]
        while waiting:
            first, last = waiting.pop()
            self._deadline.require(self._address)
            export, total = self._draft(first, last)
            if 0 < total <= MOST_ROWS:
                yield from self._delivered(export, total, first)
                continue
            self._discard(export)
            if total:
                middle = first + timedelta(seconds=int((last - first).total_seconds()) // 2)
                if not first < middle < last:
                    raise SourceError(
                        f"{self._address}: the second of {first} has {total:,} rows and an export holds {MOST_ROWS:,}. "
                        "Read the workspaces one by one, or have the gateway write its log to a bucket (portkey_files)."
                    )
                waiting += [(middle, last), (first, middle)]

    def count(self) -> int:
        """How many exports there are: a question that changes nothing."""
        params = {"workspace_id": self._settings.workspace} if self._settings.workspace else {}
        return self._number(self._session.get(self._address, params).body, "total")

    def _draft(self, first: datetime, last: datetime) -> tuple[str, int]:
        """The export's id, and how many rows it would hold, which Portkey says before it begins."""
        asked: dict[str, Any] = {
            "description": f"Farthing {first:%Y-%m-%dT%H:%M:%SZ}",  # refused without one
            "filters": {
                "time_of_generation_min": f"{first:%Y-%m-%dT%H:%M:%SZ}",
                "time_of_generation_max": f"{last:%Y-%m-%dT%H:%M:%SZ}",
                "page_size": MOST_ROWS,
            },
            "requested_data": ASKED,
        }
        if self._settings.workspace:
            asked["workspace_id"] = self._settings.workspace
        body = self._session.post(self._address, asked).body
        export = self._object(body).get("id")
        if not isinstance(export, str) or not export or "/" in export:
            raise SourceError(f"{self._address}: a new export has no id; was something put in the API's way?")
        return export, self._number(body, "total")

    def _delivered(self, export: str, total: int, first: datetime) -> Iterator[Found]:
        self._start(export)
        self._wait(export)
        body = self._download(export)
        where, count = f"{self._address}: the export of {first}", 0
        if body.strip() and body.lstrip()[:1] not in (b"{", b"[") and body[:2] != b"\x1f\x8b":
            raise IncompleteDeliveryError(f"{where} is no JSON; is a proxy or a sign-in page in the way?")
        for found in rows_of(BytesIO(body), where):
            count += 1
            yield found
        if count < total:
            raise IncompleteDeliveryError(f"{where} has {count:,} of the {total:,} rows that it announced; run again")

    def _start(self, export: str) -> None:
        """A start that was heard twice is refused the second time: what the export says of itself decides."""
        try:
            self._session.post(f"{self._address}/{export}/start", {})
        except RefusedRequestError:
            if self._status(export) == "draft":
                raise

    def _wait(self, export: str) -> None:
        wait = _FIRST_WAIT_SECONDS
        while (status := self._status(export)) != "success":
            if status in _OVER:
                raise SourceError(f"{self._address}: an export ended as {status!r}; run the day again")
            self._deadline.require_left(wait, f"{self._address}, waiting for an export that is {status!r}")
            self._pace.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT_SECONDS)

    def _status(self, export: str) -> str:
        answer = self._object(self._session.get(f"{self._address}/{export}").body)
        inner = answer.get("data")
        return str((inner if isinstance(inner, dict) else answer).get("status"))

    def _download(self, export: str) -> bytes:
        """The file behind the link, which is a secret itself and is asked without the key."""
        link = self._object(self._session.get(f"{self._address}/{export}/download").body).get("signed_url")
        parts = urlsplit(link if isinstance(link, str) else "")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SourceError(f"{self._address}: an export that has ended has no link to its file; run the day again")
        with HttpSession(pace=self._pace) as session:
            address = f"{parts.scheme}://{parts.netloc}{parts.path}"
            return session.get(address, dict(parse_qsl(parts.query, keep_blank_values=True)), expect="any").body

    def _discard(self, export: str) -> None:
        """Leaves no draft behind that nobody will start; one that cannot be taken back does no harm."""
        try:
            self._session.post(f"{self._address}/{export}/cancel", {}, expect="any")
        except RefusedRequestError:
            return

    def _object(self, body: bytes) -> dict[str, Any]:
        found = read_document(Bytes(body), self._address)
        if not isinstance(found, dict):
            raise SourceError(f"{self._address}: the answer is no object; was something put in the API's way?")
        return found

    def _number(self, body: bytes, name: str) -> int:
        found = self._object(body).get(name)
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise SourceError(f"{self._address}: an answer has no {name}; how many rows there are is not known")
        return found
