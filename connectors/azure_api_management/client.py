"""Asking Log Analytics for a day, in as many parts as its answers can hold.

Here belongs: the exchange and its limits. Here does not belong: the question (`queries`), what a row means (`calls`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from connectors.azure_api_management.queries import calls_query
from connectors.azure_api_management.settings import ApiManagementSettings
from connectors.base import IncompleteDeliveryError, SourceError
from connectors.deadline import Deadline
from connectors.http import HttpSession, Limits
from connectors.logs.values import json_value

MOST_ROWS = 500_000
"""What one answer holds; the rest is left out, with a word about it."""
PATIENCE = {"Prefer": "wait=600"}
LIMITS = Limits(read_seconds=660.0, answer_seconds=900.0, total_seconds=1800.0)
"""A query may run for ten minutes, if it is asked for, before the first byte comes; three are usual."""

_SHORTEST = timedelta(seconds=1)


class Table(NamedTuple):
    """An answer: its columns, its rows, and why it is not whole, if it is not."""

    columns: list[str]
    rows: list[list[Any]]
    lacking: str | None


def calls(
    settings: ApiManagementSettings, session: HttpSession, window: tuple[datetime, datetime], deadline: Deadline
) -> Iterator[Mapping[str, Any]]:
    """Every call that started in the window, one row each.

    Raises SourceError where even a second's answer is not whole, IncompleteDeliveryError for what is no answer.
    """
    waiting = [window]
    while waiting:
        first, last = waiting.pop()
        deadline.require(f"{settings.endpoint}, {first}")
        found = ask(settings, session, calls_query(first, last, gateway_log=settings.gateway_log))
        if found.lacking is None:
            yield from (dict(zip(found.columns, row, strict=True)) for row in found.rows)
            continue
        middle = first + timedelta(seconds=(last - first) // _SHORTEST // 2)
        if not first < middle < last:
            raise SourceError(
                f"{settings.endpoint}: the answer for the second of {first} is not whole ({found.lacking}). Export the "
                "table to a storage account and read it there (azure_api_management_export)."
            )
        waiting += [(middle, last), (first, middle)]


def ask(settings: ApiManagementSettings, session: HttpSession, query: str) -> Table:
    """The answer to one question. Raises IncompleteDeliveryError for what is no answer."""
    address = f"{settings.endpoint}/v1/workspaces/{settings.workspace_id}/query"
    answer = json_value(session.post(address, {"query": query}).body)
    try:
        found = cast("Mapping[str, Any]", answer)
        table = found["tables"][0]
        names = [str(column["name"]) for column in table["columns"]]
        rows: list[list[Any]] = table["rows"]
        if any(len(row) != len(names) for row in rows):
            raise ValueError("a row of another width")
        error = found.get("error")
    except (KeyError, IndexError, TypeError, ValueError):
        raise IncompleteDeliveryError(
            f"{address}: this is no answer of Log Analytics; was something put in its way?"
        ) from None
    if error:
        code = error.get("code") if isinstance(error, dict) else None
        return Table(names, rows, str(code or "an error without a code")[:80])
    return Table(names, rows, f"{MOST_ROWS:,} rows, the most that an answer holds" if len(rows) >= MOST_ROWS else None)
