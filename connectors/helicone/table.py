"""Rows of an own Helicone's table `request_response_rmt`, as its ClickHouse exports them: JSON lines or Parquet."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from connectors.base import LandedPage, Parsed, SourceSettings, Window
from connectors.helicone.parsing import parse_requests
from connectors.helicone.requests import ESSENTIAL, allowed, attempt, reported_cost
from connectors.helicone.settings import HeliconeTableSettings
from connectors.logs.allow_list import AllowList, UnlandableError
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.instants import microseconds
from connectors.logs.source import StoredLog

_API_NAMES = {"status": "response_status", "latency": "delay_ms", "user_id": "request_user_id", "cost": "cost_nano_usd"}


class HeliconeTable(StoredLog[HeliconeTableSettings]):
    """Requests in Helicone's own table. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "helicone_table"
    settings_model: ClassVar[type[SourceSettings]] = HeliconeTableSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: HeliconeTableSettings) -> AllowList:
        """The fields of a request; a row without id and start is unlandable."""
        found = allowed(settings)

        def request(row: Mapping[str, Any]) -> dict[str, Any]:
            if "request_id" not in row or "request_created_at" not in row:
                raise UnlandableError("unknown_format")
            return found.redact(row)

        return AllowList(request, found.known)

    def started(self, settings: HeliconeTableSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """Helicone's own clock, in UTC."""
        return microseconds(row.get("request_created_at"))

    def records(self, settings: HeliconeTableSettings, row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:  # noqa: ARG002
        """The row under the API's names; its cost is in billionths of a dollar."""
        return ({_API_NAMES.get(name, name): value for name, value in row.items()},)

    def read(self, settings: HeliconeTableSettings, record: Record) -> Attempt:
        """See `requests`."""
        return attempt(settings, record, NOTHING)

    def cost(self, settings: HeliconeTableSettings, record: Record) -> str | Decimal | None:  # noqa: ARG002
        """What Helicone computed."""
        return reported_cost(record)

    def parse(self, settings: HeliconeTableSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """See `parse_requests`."""
        return parse_requests(settings, window, pages, self.remedy)


SOURCE = HeliconeTable()
