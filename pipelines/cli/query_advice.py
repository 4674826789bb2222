"""What a query that DuckDB refuses may have meant: the columns of its tables, by their names in this house.

Here belongs: words about a column that is not there. Here does not belong: running queries (`query`). DuckDB looks for
names that are spelled alike; `day` is not spelled like `usage_date`, and means it.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.names import nearest

if TYPE_CHECKING:
    import duckdb

_NO_COLUMN = re.compile(
    r'Referenced column "(?P<bare>[^"]+)" not found|does not have a column named "(?P<of_table>[^"]+)"'
)
_LIKENESS_NEEDED = 4  # letters: two of three alike is chance
_MOST_NAMED = 3
_MOST_LISTED = 12
_MEANT: Mapping[str, tuple[str, ...]] = {
    "day": ("date",),
    "month": ("period",),
    "spend": ("cost",),
    "price": ("cost", "usd"),
    "amount": ("cost", "usd"),
    "money": ("cost", "usd"),
    "usd": ("cost",),
    "cost": ("usd",),
    "requests": ("request",),
    "calls": ("request",),
    "time": ("at",),
}
"""What parts of the house's names say that people call otherwise: a day is in `usage_date`, what was spent a `cost`."""


def advice(database: "duckdb.DuckDBPyConnection", sql: str, error: Exception) -> str | None:
    """A sentence where the query names a column that its tables lack, with what may be meant, and where in the query.

    None for all else that DuckDB refuses: of a column that one of the tables has, another's or a subquery's is meant.
    """
    found = _NO_COLUMN.search(str(error))
    if found is None:
        return None
    column = found["bare"] or found["of_table"]
    columns = {table: names for table in _tables(database, sql) if (names := _columns(database, table))}
    if not columns or any(column.lower() in names for names in columns.values()):
        return None
    place = str(error).partition("\n\nLINE ")
    return f"{_told(column, columns)}{place[1]}{place[2]}"


def _told(column: str, columns: Mapping[str, list[str]]) -> str:
    tables = " and ".join(columns)
    lack = f"{tables} {'has' if len(columns) == 1 else 'have'} no column {column}"
    every = list(dict.fromkeys(name for names in columns.values() for name in names))
    if meant := meant_columns(column, every):
        return f"{lack}; did you mean {' or '.join(meant)}?"
    more = (
        f", and {len(every) - _MOST_LISTED} more: describe {next(iter(columns))}" if len(every) > _MOST_LISTED else ""
    )
    return f"{lack}; {'it has' if len(columns) == 1 else 'they have'} {', '.join(every[:_MOST_LISTED])}{more}"


def meant_columns(column: str, columns: list[str]) -> list[str]:
    """The columns that a name may mean, at most three: spelled alike, or saying the same in the house's words."""
    asked = column.lower().split("_")
    is_said_otherwise = column.lower() in _MEANT
    if len(column) >= _LIKENESS_NEEDED and not is_said_otherwise and (alike := nearest(column, columns)):
        return [alike]
    words = {*asked, *(word for part in asked for word in _MEANT.get(part, ()))}
    shared = {name: len(words & set(name.split("_"))) for name in columns}
    return sorted((name for name in columns if shared[name]), key=lambda name: -shared[name])[:_MOST_NAMED]


def _tables(database: "duckdb.DuckDBPyConnection", sql: str) -> list[str]:
    import duckdb

    try:
        return sorted(database.get_table_names(sql))
    except duckdb.Error:
        return []


def _columns(database: "duckdb.DuckDBPyConnection", table: str) -> list[str]:
    question = "select column_name from duckdb_columns() where table_name = $table order by column_index"
    return [name for (name,) in database.execute(question, {"table": table}).fetchall()]
