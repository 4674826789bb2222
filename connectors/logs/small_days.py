"""Facts of which a day is small: rows as plain dictionaries, gathered into one table.

Here belongs: what such facts share on their way from landed lines to columns. Here does not belong: requests
(`staging`), of which a day is millions.
"""

from typing import Any

import pyarrow as pa

from connectors.base import SourceSettings, Window
from connectors.logs.attempt import RowError, json_text
from connectors.logs.instants import instant_of
from contracts import contract


def require_inside(window: Window, instant: int, field: str) -> None:
    """Raises RowError for an instant, in microseconds since 1970, that is not of the window."""
    if not instant_of(window.start) <= instant < instant_of(window.end):
        raise RowError("outside_window", "it happened on another day than the one that was read", field)


def table_of(fact: str, settings: SourceSettings, window: Window, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows in the shape of the fact's contract, with their source, their day, and what is left over as text."""
    for row in rows:
        row["x_source"], row["x_slice_date"] = settings.name, window.slice_date
        row["x_extra"] = json_text(row["x_extra"]) if row["x_extra"] else None
    schema = contract(fact).arrow_schema()
    return pa.Table.from_arrays(
        [pa.array([row.get(column.name) for row in rows], column.type) for column in schema], schema=schema
    )
