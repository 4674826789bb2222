"""Reads an invoice month from the export's table through the BigQuery API.

One query for each invoice month, with every column of the table by its name; its pages land as JSON lines, behind a
page that says how many lines the query announced, so that nothing that got lost on the way goes unnoticed.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from connectors.base import Bytes, IncompleteDeliveryError, MonthFiles, Page, RefusedRequestError, SourceError, Window
from connectors.deadline import Deadline
from connectors.gcp.access import google_credentials
from connectors.gcp.answers import Patience, google_errors
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.gcp.columns import PAGE_NUMBER

ROLE = "the roles BigQuery Job User on the project that runs queries and BigQuery Data Viewer on the table"
_ORDER = ("export_time", "usage_start_time", "usage_end_time", "sku.id", "project.id", "cost")
_SOME = 100  # lines for a look
_MONTH = re.compile(r"20\d\d(0[1-9]|1[0-2])")
_REQUIRED = ("invoice", "cost", "currency", "export_time")
_WRITTEN_DAYS = 40  # how long a line of a month that nights pull no more is told: what is asked is paid for
_LOADED_BEFORE = timedelta(days=2)  # zones: the first lines of a month are loaded on the day before it in UTC, at most
# lines that are still being streamed in have no _PARTITIONTIME yet: they are asked for by its being NULL


def fetch_table(settings: GcpBillSettings, window: Window, patience: Patience) -> Iterator[Page]:
    """A page that says what the query announced, then its lines; nothing for a month before the export's first.

    Raises AuthenticationError, SourceError for a query that fails or takes too long or a month without lines,
    IncompleteDeliveryError when the answer ends early or does not end.
    """
    table = _Table(settings, patience)
    deadline = patience.deadline()
    with google_errors(table.where, ROLE):
        rows = table.query(_lines_sql(table), table.month(window))
        announced = int(rows.total_rows or 0)
        if not announced:
            table.require_before_first(window)
            return
        statement = {
            "table": settings.table,
            "invoice_month": f"{window.start:%Y%m}",
            "lines": announced,
            "is_final": table.is_final(window),
        }
        yield Page(
            f"{window.start:%Y%m}/statement.json", Bytes(orjson.dumps({"farthing_statement": statement}) + b"\n")
        )
        for number, lines in _numbered(table, rows, announced, deadline):
            yield Page(f"{window.start:%Y%m}/page-{number}.jsonl", Bytes(_json_lines(lines, number)))


def _numbered(
    table: "_Table", rows: Any, announced: int, deadline: Deadline
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The pages that hold lines, with their numbers: as many lines as were announced, before the deadline."""
    count = 0
    for number, page in enumerate(rows.pages, 1):
        lines = [dict(row.items()) for row in page]
        count += len(lines)
        if count > announced:
            break
        deadline.require(f"{table.where}, after page {number} and {count:,} lines")
        if lines:
            yield number, lines
    if count != announced:
        raise IncompleteDeliveryError(
            f"{table.where}: the query announced {announced} lines and delivered {count}. Nothing was committed; "
            "run again."
        )


def probe_table(settings: GcpBillSettings, patience: Patience) -> tuple[str, tuple[date, Page] | None]:
    """How many lines the table holds, and which of the two exports it is; some lines of an invoice month.

    None for a table without lines, and for a view, whose lines nobody reads without paying for a query.
    Raises SourceError.
    """
    table = _Table(settings, patience)
    kind = "detailed" if "resource" in table.columns else "standard"
    told = f"{table.where}: {kind} export, {table.found.num_rows or 0:,} lines"
    with google_errors(table.where, ROLE):
        lines = table.some_lines() if table.found.table_type == "TABLE" else []
    months = {str((line["invoice"] or {}).get("month")) for line in lines}
    named = sorted(month for month in months if _MONTH.fullmatch(month))
    if not named:
        return told, None
    of_month = [line for line in lines if (line["invoice"] or {}).get("month") == named[-1]]
    page = Page(f"{settings.table}, {named[-1]}", Bytes(_json_lines(of_month, 1)))
    return told, (date(int(named[-1][:4]), int(named[-1][4:]), 1), page)


def table_written(settings: GcpBillSettings, patience: Patience) -> dict[date, MonthFiles]:
    """The invoice months that got lines within the last weeks, and when the newest of these was exported.

    By Google's clock. A line without a month that can be read is of none. Raises SourceError.
    """
    table = _Table(settings, patience)
    with google_errors(table.where, ROLE):
        rows = list(table.query(_written_sql(table), {}))
    found = dict[date, MonthFiles]()
    for row in rows:
        month, newest = str(row["month"]), row["newest"]
        if _MONTH.fullmatch(month) and newest is not None:
            at = newest.astimezone(UTC).replace(tzinfo=None)
            found[date(int(month[:4]), int(month[4:]), 1)] = MonthFiles(None, at)
    return found


class _Table:
    """The table, as found: what it is called, its columns, its queries."""

    def __init__(self, settings: GcpBillSettings, patience: Patience) -> None:
        from google.cloud import bigquery

        self.where, self.settings, self._patience = f"BigQuery table {settings.table}", settings, patience
        self._bigquery = bigquery
        project = settings.job_project or str(settings.table).partition(".")[0]
        options = {"api_endpoint": settings.endpoint} if settings.endpoint else None
        with google_errors(self.where, ROLE):
            self._client = bigquery.Client(project, google_credentials(settings), client_options=options)
            self.found = self._client.get_table(
                str(settings.table), retry=patience.retry(), timeout=patience.answer_seconds
            )
        self.columns = [str(field.name) for field in self.found.schema]
        if missing := [name for name in _REQUIRED if name not in self.columns]:
            raise SourceError(
                f"{self.where} has no column {', '.join(missing)}: it is no standard or detailed usage export; "
                "give the table gcp_billing_export_v1_... or gcp_billing_export_resource_v1_..."
            )
        partition = self.found.time_partitioning
        self.is_partitioned = partition is not None and partition.field is None

    def month(self, window: Window) -> dict[str, str | datetime]:
        """Parameters of a query for the window's invoice month."""
        return {"invoice_month": f"{window.start:%Y%m}", "loaded_from": window.start - _LOADED_BEFORE}

    def some_lines(self) -> list[dict[str, Any]]:
        """A few of the table's lines as they lie there, which no query is paid for."""
        rows = self._client.list_rows(
            self.found, max_results=_SOME, retry=self._patience.retry(), timeout=self._patience.answer_seconds
        )
        return [dict(row.items()) for row in rows]

    def query(self, sql: str, given: dict[str, str | datetime]) -> Any:
        """The rows of a query, in pages."""
        config = self._bigquery.QueryJobConfig(
            query_parameters=[
                self._bigquery.ScalarQueryParameter(name, "STRING" if isinstance(value, str) else "TIMESTAMP", value)
                for name, value in given.items()
                if f"@{name}" in sql
            ],
            use_legacy_sql=False,
        )
        if self.settings.maximum_gib_billed is not None:
            config.maximum_bytes_billed = self.settings.maximum_gib_billed * 2**30
        seconds = self._patience.answer_seconds
        with _too_large_told(self.where):
            # a failed job is not run again: the libraries would go on for longer than a night has
            job = self._client.query(sql, config, retry=self._patience.retry(), timeout=seconds, job_retry=None)
            return job.result(
                page_size=self.settings.page_rows, retry=self._patience.retry(), timeout=self._patience.total_seconds
            )

    def require_before_first(self, window: Window) -> None:
        """Raises SourceError unless the month lies before the first one that was exported: no line is not no cost."""
        found = list(self.query(f"select min(invoice.month) as first from {self.sql_name}", {}))
        first = found[0]["first"] if found else None
        if first is None or first <= f"{window.start:%Y%m}":
            raise SourceError(
                f"{self.where} has no line of the invoice month {window.start:%Y%m}. Nothing is known of it, which is "
                "not zero: the export may be hours behind, or stopped; run again later, or look at its settings"
            )

    def is_final(self, window: Window) -> bool:
        """Whether the table holds lines exported so late in the next month that this one is closed."""
        if self.settings.final_after_day is None:
            return False
        closed = window.end.replace(day=self.settings.final_after_day)
        loaded = (
            "and (_PARTITIONTIME >= timestamp_trunc(@closed, day) or _PARTITIONTIME is null)"
            if self.is_partitioned
            else ""
        )
        sql = f"select count(*) as late from {self.sql_name} where export_time >= @closed {loaded}"
        return next(iter(self.query(sql, {"closed": closed})))["late"] > 0

    @property
    def sql_name(self) -> str:
        """The table in SQL."""
        return f"`{self.settings.table}`"


@contextmanager
def _too_large_told(where: str) -> Generator[None]:
    """A query that is too large has a remedy of its own."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except GoogleAPICallError as error:
        said = f"{getattr(error, 'errors', '')} {error}".lower()
        if "bytesbilledlimitexceeded" in said or "bytes billed" in said:
            raise RefusedRequestError(400, f"{where}: the query scans more than 'maximum_gib_billed' allows") from None
        if "resourcesexceeded" in said or "response too large" in said:
            raise RefusedRequestError(
                400, f"{where}: the month is too large for one query; export it as Parquet and give its 'location'"
            ) from None
        raise


def _lines_sql(table: _Table) -> str:
    columns = ", ".join(f"`{name}`" for name in table.columns)
    loaded = " and (_PARTITIONTIME >= @loaded_from or _PARTITIONTIME is null)" if table.is_partitioned else ""
    order = ", ".join(name for name in _ORDER if name.partition(".")[0] in table.columns)
    return f"select {columns} from {table.sql_name} where invoice.month = @invoice_month{loaded} order by {order}"


def _written_sql(table: _Table) -> str:
    """Two columns of the newest partitions: a night pays for little more than nothing."""
    since = f"timestamp_sub(current_timestamp(), interval {_WRITTEN_DAYS} day)"
    loaded = f" and (_PARTITIONTIME >= {since} or _PARTITIONTIME is null)" if table.is_partitioned else ""
    return (
        f"select invoice.month as month, max(export_time) as newest from {table.sql_name} "
        f"where export_time >= {since}{loaded} group by month"
    )


def _json_lines(lines: Sequence[dict[str, Any]], number: int) -> bytes:
    """Canonical JSON lines; the first one bears the page's number, so that no two pages are the same."""
    first = {PAGE_NUMBER: number, **lines[0]}
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS
    return b"".join(orjson.dumps(line, default=_text, option=options) for line in [first, *lines[1:]])


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(type(value).__name__)
