"""Outcomes in a table or view of a PostgreSQL database, read day by day."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from psycopg import sql

from connectors.base import AuthenticationError, LandedPage, Page, Parsed, SourceError, SourceSettings, Window
from connectors.logs.files import Found, Unreadable
from connectors.logs.landing import land_rows
from connectors.logs.values import json_value
from connectors.names import nearest
from connectors.outcomes.reading import allowed
from connectors.outcomes.settings import OutcomesSqlSettings
from connectors.outcomes.staging import stage
from connectors.postgres import Server, Snapshot, server_of, snapshot
from connectors.windows import day_windows

_ASKED_BY = ("occurred_at", "outcome_id")  # what the database itself compares and sorts by: columns, never paths


class OutcomesSql:
    """Outcomes that a database keeps. See the README for what is read."""

    kind: ClassVar[str] = "outcomes_sql"
    fact: ClassVar[str] = "outcomes"
    settings_model: ClassVar[type[SourceSettings]] = OutcomesSqlSettings

    def windows(self, settings: OutcomesSqlSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: OutcomesSqlSettings, window: Window) -> Iterator[Page]:
        """The day's events after the allow-list, all from one state of the database.

        Raises SourceError where the table or a column is not there, AuthenticationError where it may not be read.
        """
        server = _server(settings)
        with snapshot(server, settings.statement_seconds) as found:
            columns = _columns(settings, server, found)
            yield from land_rows(_rows(settings, found, columns, window), window, allowed(settings).redact)

    def parse(self, settings: OutcomesSqlSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `outcomes`. See `staging`."""
        return stage(settings, window, pages)

    def probe(self, settings: OutcomesSqlSettings) -> str:
        """Connects, and looks whether the table is there and its columns may be read."""
        server = _server(settings)
        with snapshot(server, settings.statement_seconds) as found:
            columns = _columns(settings, server, found)
        return f"{server.where}: {', '.join(columns)} of {settings.table_schema}.{settings.table} can be read"


def _server(settings: OutcomesSqlSettings) -> Server:
    return server_of(settings.dsn.get_secret_value(), settings.tls, settings.tls_root_certificate)


def _columns(settings: OutcomesSqlSettings, server: Server, found: Snapshot) -> list[str]:
    """The columns that the mapping names: of a path, the column that it begins with."""
    table = f"{settings.table_schema}.{settings.table}"
    present = found.columns(settings.table_schema, settings.table)
    if not present:
        raise SourceError(f"{server.where}: there is no table {table}. Check the database, `table_schema` and `table`.")
    wanted = sorted(
        {
            path if path in present or name in _ASKED_BY else path.partition(".")[0]
            for name, path in settings.fields.items()
        }
    )
    if missing := [name for name in wanted if name not in present]:
        advice = nearest(missing[0], present) or ", ".join(present)
        raise SourceError(
            f"{server.where}: {table} has no column {' and no '.join(missing)}; is {advice} meant? Correct `fields`."
        )
    if barred := [name for name in wanted if not present[name]]:
        raise AuthenticationError(
            f"{server.where}: no right to read {', '.join(barred)} of {table}. Grant it: grant select "
            f"({', '.join(wanted)}) on {table} to ..."
        )
    return wanted


def _rows(settings: OutcomesSqlSettings, found: Snapshot, columns: list[str], window: Window) -> Iterator[Found]:
    """Each event of the window as an object, in the order of its time and its id."""
    named = {name: sql.Identifier(settings.fields[name]) for name in _ASKED_BY}
    question = sql.SQL(
        "select row_to_json(event) from (select {columns} from {table} where {occurred_at} >= %(start)s and "
        "{occurred_at} < %(end)s) event order by event.{occurred_at}, event.{outcome_id}::text"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(settings.table_schema, settings.table),
        **named,
    )
    asked = found.rows(question, {"start": window.start, "end": window.end})
    for number, (event,) in enumerate(asked, start=1):
        row = json_value(event)
        yield row if isinstance(row, dict) else Unreadable(number, "not_json", len(event))


SOURCE = OutcomesSql()
