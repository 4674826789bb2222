"""The snapshot's DuckDB file: a copy of the one before with the changed slices replaced, or a new one.

Each table lies in `main`, and under the same name in the schema `published`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from contracts import Contract, contract
from pipelines.calendar import next_month
from pipelines.lake.draft import Draft, SnapshotUnusableError, columns_of
from pipelines.lake.errors import LakeError
from pipelines.lake.made_from import STORAGE_VERSION
from pipelines.lake.published import month_column


def write_database(file: Path, draft: Draft) -> None:
    """Brings the file to what the draft says, in one transaction; creates it where there is none.

    Raises duckdb.Error or SnapshotUnusableError when a file that was there is not what it should be.
    """
    with _building(file) as connection:
        connection.execute("begin")
        if draft.before is None:
            _create(connection, draft.contents)
        for name in draft.contents:
            _replace(connection, draft, name)
            _require_count(connection, draft, name)
        connection.execute("commit")
        connection.execute("checkpoint building")
    if leftover := [path.name for path in file.parent.glob(f"{file.name}.*")]:
        raise LakeError(f"the snapshot's database was not closed cleanly: {leftover} lies beside it; publish again")


@contextmanager
def _building(file: Path) -> Generator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"attach '{_quoted(str(file))}' as building (storage_version '{STORAGE_VERSION}')")
        connection.execute("use building")
        yield connection
        connection.execute("use memory")
        connection.execute("detach building")
    finally:
        connection.close()


def _create(connection: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> None:
    connection.execute("create schema published")
    for name in names:
        connection.register("incoming", columns_of(name))
        connection.execute(f'create table main."{name}" as select * from incoming')
        connection.unregister("incoming")
        connection.execute(f'create view published."{name}" as select * from main."{name}"')
        _describe(connection, contract(name))


def _replace(connection: duckdb.DuckDBPyConnection, draft: Draft, name: str) -> None:
    """Replaces what changed: a table by months slice by slice, a month at a time, any other as a whole."""
    if not draft.is_changed(name):
        return
    column = month_column(name)
    if column is None:
        connection.execute(f'delete from main."{name}"')
        _insert(connection, name, draft.read(name))
        return
    for month, dates in draft.changed_months(name).items():
        if draft.before is not None:
            _delete(connection, name, column, month, dates)
        _insert(connection, name, draft.read_slices(name, dates))


def _delete(connection: duckdb.DuckDBPyConnection, name: str, column: str, month: date, dates: list[date]) -> None:
    """The bounds of the month spare DuckDB the other months' rows."""
    connection.execute(
        f'delete from main."{name}" where "{column}" >= ? and "{column}" < ? and list_contains(?::date[], "{column}")',
        [month, next_month(month), dates],
    )


def _insert(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f'insert into main."{name}" select * from incoming')
    connection.unregister("incoming")


def _require_count(connection: duckdb.DuckDBPyConnection, draft: Draft, name: str) -> None:
    [(found,)] = connection.execute(f'select count(*) from main."{name}"').fetchall()
    expected = draft.row_count(name)
    if found != expected:
        raise SnapshotUnusableError(
            f"the snapshot's table {name} has {found} rows, the lake has {expected}; publish again"
        )


def _describe(connection: duckdb.DuckDBPyConnection, table: Contract) -> None:
    for kind, name in (("table", f'main."{table.table}"'), ("view", f'published."{table.table}"')):
        connection.execute(f"comment on {kind} {name} is '{_quoted(table.description)}'")
        for column in table.columns:
            unit = f" [{column.unit}]" if column.unit else ""
            connection.execute(f"comment on column {name}.\"{column.name}\" is '{_quoted(column.description + unit)}'")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
