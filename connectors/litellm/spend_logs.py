"""Questions to a gateway's database: the attempts of a day from `LiteLLM_SpendLogs`, and what its daily table counted.

Here belongs: LiteLLM's tables and columns, older and newer. Here does not belong: what a row means, or may be kept.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple, cast

from psycopg import sql

from connectors.base import AuthenticationError, SourceError, Window
from connectors.postgres import Snapshot

LOG = "LiteLLM_SpendLogs"
DAILY = "LiteLLM_DailyUserSpend"
INTERNAL = "internal_call_origin"  # of an attempt's metadata: a call of the gateway's own, no request of a caller
_NEEDED = ("request_id", "startTime")
_DISPENSABLE = frozenset({"completionStartTime"})  # which older grants of rights do not name
_COUNTED = ("api_requests", "failed_requests", "prompt_tokens", "completion_tokens", "spend")


class Log(NamedTuple):
    """The log's table, and which columns of it are read."""

    schema: str
    columns: tuple[str, ...]
    where: str


class DailyTotal(NamedTuple):
    """What the daily table counted of one model under one key."""

    api_key: str
    model: str
    requests: int
    failures: int
    input_tokens: int
    output_tokens: int
    spend: float


def open_log(found: Snapshot, schema: str, wanted: Collection[str], where: str) -> Log:
    """The log's table. Columns that an older LiteLLM does not have are left out.

    Raises SourceError where there is no such table, or another one of that name; AuthenticationError where a wanted
    column may not be read.
    """
    columns = found.columns(schema, LOG)
    if not columns:
        raise SourceError(
            f"{where}: there is no table {schema}.{LOG}. Check the database, and `table_schema`; a gateway without a "
            "database has none."
        )
    if missing := [name for name in _NEEDED if name not in columns]:
        raise SourceError(f"{where}: {schema}.{LOG} has no column {' and no '.join(missing)}; is it LiteLLM's table?")
    read = tuple(name for name in columns if name in wanted and (columns[name] or name not in _DISPENSABLE))
    if barred := [name for name in read if not columns[name]]:
        raise AuthenticationError(
            f"{where}: no right to read {', '.join(barred)} of {schema}.{LOG}. Grant it: grant usage on schema "
            f'{schema} to ...; grant select ({", ".join(_quoted(read))}) on {schema}."{LOG}" to ...'
        )
    return Log(schema, read, where)


def attempts_of(found: Snapshot, log: Log, window: Window, metadata_keys: Collection[str]) -> Iterator[bytes]:
    """Each attempt that started in the window, as JSON text, in the order of the table's index.

    Of metadata the database itself gives only `metadata_keys`: prompts in there never leave it.
    """
    columns = sql.SQL(", ").join(_METADATA if name == "metadata" else sql.Identifier(name) for name in log.columns)
    question = sql.SQL(
        'select row_to_json(attempt) from (select {columns} from {table} where "startTime" >= %(start)s and '
        '"startTime" < %(end)s) attempt order by attempt."startTime", attempt.request_id'
    ).format(columns=columns, table=sql.Identifier(log.schema, LOG))
    values = {"start": window.start, "end": window.end, "keys": [*metadata_keys, INTERNAL]}
    for (attempt,) in found.rows(question, values):
        yield attempt


def is_older(found: Snapshot, log: Log, window: Window) -> bool:
    """Whether the log holds anything from before the window: then nothing of the window was cleaned up."""
    question = sql.SQL('select exists (select 1 from {table} where "startTime" < %(start)s)').format(
        table=sql.Identifier(log.schema, LOG)
    )
    return bool(found.row(question, {"start": window.start})[0])


def daily_totals(found: Snapshot, schema: str, day: date) -> list[DailyTotal] | None:
    """The day's totals by key and model; None where there is no such table, or no right to read it.

    `DailyUserSpend` alone: the other daily tables group the same attempts otherwise, and the tags' counts them twice.
    """
    columns = found.columns(schema, DAILY)
    if not all(columns.get(name) for name in ("date", "api_key", "model", *_COUNTED)):
        return None
    question = sql.SQL(
        "select coalesce(api_key, ''), coalesce(model, ''), sum(api_requests)::bigint, sum(failed_requests)::bigint, "
        "sum(prompt_tokens)::bigint, sum(completion_tokens)::bigint, sum(spend) from {table} where date = %(day)s "
        "group by 1, 2 order by 1, 2"
    ).format(table=sql.Identifier(schema, DAILY))
    return [DailyTotal(*row) for row in found.rows(question, {"day": day.isoformat()})]


def was_active_before(found: Snapshot, schema: str, day: date) -> bool:
    """Whether the daily table knows of requests on an earlier day."""
    question = sql.SQL("select exists (select 1 from {table} where date < %(day)s and api_requests > 0)").format(
        table=sql.Identifier(schema, DAILY)
    )
    return bool(found.row(question, {"day": day.isoformat()})[0])


# jsonb that is no object is given whole: the allow-list knows an object written as text, and refuses anything else
_METADATA = sql.SQL(
    "case jsonb_typeof(metadata::jsonb) when 'object' then (select jsonb_object_agg(key, value) from "
    "jsonb_each(metadata::jsonb) where key = any(%(keys)s)) else metadata::jsonb end as metadata"
)


def _quoted(names: Collection[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def record_counts(attempt: Mapping[str, Any]) -> bool:
    """Whether the daily tables count an attempt as a request; its tokens and spend they count in any case."""
    metadata = attempt.get("metadata")
    return not (isinstance(metadata, dict) and cast("dict[str, Any]", metadata).get(INTERNAL))
