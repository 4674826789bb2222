"""The LiteLLM gateway's request log in its own database: the table SpendLogs, read day by day."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from connectors.base import IncompleteDeliveryError, LandedPage, Page, Parsed, SourceSettings, Window
from connectors.litellm.allow_list import spend_log_fields
from connectors.litellm.attempts import ESSENTIAL, attempt, reported_cost
from connectors.litellm.daily import DayCount, is_comparison, notices_of, total_requests
from connectors.litellm.settings import LiteLlmDatabaseSettings
from connectors.litellm.spend_logs import (
    LOG,
    DailyTotal,
    Log,
    attempts_of,
    daily_totals,
    is_older,
    open_log,
    was_active_before,
)
from connectors.logs.allow_list import AllowList, allow_list, rules_of
from connectors.logs.attempt import Attempt, Record
from connectors.logs.files import Found, Unreadable
from connectors.logs.landing import land_rows
from connectors.logs.source import RequestLog
from connectors.logs.values import json_value
from connectors.postgres import Server, Snapshot, server_of, snapshot
from contracts import contract


class LiteLlmDatabase(RequestLog[LiteLlmDatabaseSettings]):
    """Attempts that a LiteLLM gateway keeps in PostgreSQL. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "litellm_database"
    settings_model: ClassVar[type[SourceSettings]] = LiteLlmDatabaseSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: LiteLlmDatabaseSettings) -> AllowList:
        """The fields of the table."""
        return allow_list(spend_log_fields(settings))

    def fetch(self, settings: LiteLlmDatabaseSettings, window: Window) -> Iterator[Page]:
        """The day's rows after the allow-list, all from one state of the database, and what the daily table counted.

        Raises IncompleteDeliveryError when the gateway has cleaned up rows of the day: what was read before is more.
        """
        server = _server(settings)
        schema = _schema(settings, server)
        redact = self.allow_list(settings).redact
        count = DayCount(rules_of(settings.hash_key))

        def landed(row: Mapping[str, Any]) -> dict[str, Any]:
            kept = redact(row)
            count.add(row, kept)
            return kept

        with snapshot(server, settings.statement_seconds) as found:
            log = open_log(found, schema, spend_log_fields(settings), server.where)
            keys = _metadata_keys(settings)
            yield from land_rows(_rows(attempts_of(found, log, window, keys)), window, landed)
            totals = daily_totals(found, schema, window.slice_date) if settings.daily_table else None
            if totals is not None:
                _require_whole(found, log, window, totals, count)
                comparison = count.against(totals, window.slice_date)
                yield from () if comparison is None else (comparison,)

    def parse(self, settings: LiteLlmDatabaseSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `gateway_requests`; where the daily table counts otherwise, notices say so."""
        log: list[LandedPage] = []
        comparisons: list[LandedPage] = []
        for page in pages:
            (comparisons if is_comparison(page) else log).append(page)
        yield from super().parse(settings, window, log)
        yield Parsed(contract(self.fact).arrow_schema().empty_table(), notices=notices_of(comparisons))

    def read(self, settings: LiteLlmDatabaseSettings, record: Record) -> Attempt:
        """See `attempts`."""
        return attempt(settings, record)

    def cost(self, settings: LiteLlmDatabaseSettings, record: Record) -> str | None:  # noqa: ARG002
        """What the gateway computed."""
        return reported_cost(record)

    def probe(self, settings: LiteLlmDatabaseSettings) -> str:
        """Connects, and looks whether the log is there and may be read."""
        server = _server(settings)
        schema = _schema(settings, server)
        with snapshot(server, settings.statement_seconds) as found:
            open_log(found, schema, spend_log_fields(settings), server.where)
            has_daily = daily_totals(found, schema, date(2015, 1, 1)) is not None
        daily = "and its daily table" if has_daily else "but not its daily table: it is not there, or may not be read"
        return f"{server.where}: {schema}.{LOG} can be read, {daily}"


def _server(settings: LiteLlmDatabaseSettings) -> Server:
    return server_of(settings.dsn.get_secret_value(), settings.tls, settings.tls_root_certificate)


def _schema(settings: LiteLlmDatabaseSettings, server: Server) -> str:
    return settings.table_schema or server.schema or "public"


def _metadata_keys(settings: LiteLlmDatabaseSettings) -> list[str]:
    fields = spend_log_fields(settings)["metadata"]
    return list(fields) if isinstance(fields, dict) else []


def _rows(attempts: Iterable[bytes]) -> Iterator[Found]:
    """Rows as objects; what a database without an encoding holds may be no text."""
    for number, found in enumerate(attempts, start=1):
        row = json_value(found)
        yield row if isinstance(row, dict) else Unreadable(number, "not_json", len(found))


def _require_whole(found: Snapshot, log: Log, window: Window, totals: Iterable[DailyTotal], count: DayCount) -> None:
    """A gateway may clean its log up, and keeps the daily table: a day that lost its beginning is no delivery."""
    told = total_requests(totals)
    if told <= count.total.requests or is_older(found, log, window):
        return
    if count.landed and not was_active_before(found, log.schema, window.slice_date):
        return  # the gateway's first day
    raise IncompleteDeliveryError(
        f"{log.where}: of the {told:,} requests that the daily table counts on {window.slice_date}, {log.schema}.{LOG} "
        f"still holds {count.total.requests:,}: the gateway cleans its log up (maximum_spend_logs_retention_period) or "
        "keeps none (disable_spend_logs). What was read before stays; do not read this day again."
    )


SOURCE = LiteLlmDatabase()
