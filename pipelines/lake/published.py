"""Reading the published snapshot back: what `report` and `query` stand on.

Here belongs: finding the current snapshot, its tables and its database, on a folder and on an object store alike.
Here does not belong: building one.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts import contract
from pipelines.calendar import month_start
from pipelines.lake.errors import LakeError, NotPublishedError
from pipelines.lake.paths import DATABASE, PARQUET, PUBLISHED, parquet_file, snapshot_folder
from pipelines.lake.root import Root
from pipelines.lake.snapshot_files import fetch, file_sizes


@dataclass(frozen=True)
class Snapshot:
    """One published snapshot. It does not change; a later run publishes another."""

    root: Root
    number: int

    @property
    def folder(self) -> str:
        """Where it lies, relative to the root."""
        return snapshot_folder(self.number)

    def months(self, table: str) -> list[date]:
        """The calendar months of a table by months that have rows, oldest first. Costs a look at file names.

        A snapshot of an older version holds the table in one file, which is read. Raises NotPublishedError when the
        snapshot does not hold the table.
        """
        files, column = self._files(table), month_column(table)
        if files[0].endswith(f"/{parquet_file(table)}") and column is not None:
            days: list[date] = self._read(table, files[0])[column].unique().to_pylist()
            return sorted({month_start(day) for day in days})
        return [month for file in files if (month := _month(file)) is not None]

    def read(self, table: str, start: date | None = None, end: date | None = None) -> pa.Table:
        """A table's rows, in the contract's schema; columns that came after the snapshot are NULL.

        Args:
            table: its name.
            start: the first slice date wanted of a table by months; only the months needed are read.
            end: the first slice date not wanted. A table that is not kept by months comes whole.

        Raises:
            NotPublishedError: the snapshot does not hold the table, or no column of it that is never NULL.
        """
        column = month_column(table)
        files = self._files(table)
        if column is None:
            return self._read(table, files[0])
        wanted = [file for file in files if _overlaps(_month(file), start, end)]
        empty = contract(table).arrow_schema().empty_table()
        rows = pa.concat_tables([empty, *(self._read(table, file) for file in wanted)])
        return _bounded(rows, column, start, end)

    @contextmanager
    def database(self) -> Generator[duckdb.DuckDBPyConnection]:
        """The snapshot's DuckDB file, read-only; from an object store through a copy in a scratch folder.

        Queries reach nothing but the snapshot: no other file, no network, no setting.
        """
        if self.root.is_local:
            with _locked_up(self.root.path(f"{self.folder}/{DATABASE}")) as connection:
                yield connection
            return
        with self.root.spool() as scratch:
            fetch(self.root, f"{self.folder}/{DATABASE}", scratch / DATABASE)
            with _locked_up(scratch / DATABASE) as connection:
                yield connection

    def _files(self, table: str) -> list[str]:
        """The table's Parquet files, oldest month first."""
        whole = f"{self.folder}/{parquet_file(table)}"
        if self.root.exists(whole):
            return [whole]
        folder = f"{self.folder}/{PARQUET}/{table}"
        if files := sorted(file_sizes(self.root, folder)):
            return [f"{folder}/{file}" for file in files]
        raise self._lacks(f"table {table}")

    def _lacks(self, what: str) -> NotPublishedError:
        return NotPublishedError(f"snapshot {self.number} has no {what}; publish again with this version: farthing run")

    def _read(self, table: str, file: str) -> pa.Table:
        with self.root.open(file) as stream:
            rows = pq.read_table(pa.PythonFile(stream, mode="r"))
        schema = contract(table).arrow_schema()
        for column in schema:
            if column.name not in rows.column_names:
                if not column.nullable:
                    raise self._lacks(f"column {column.name} of {table}")
                rows = rows.append_column(column, pa.nulls(rows.num_rows, column.type))
        return rows.select(schema.names).cast(schema)


def _locked_up(file: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,
        "lock_configuration": True,
    }
    return duckdb.connect(str(file), read_only=True, config=config)


def month_column(table: str) -> str | None:
    """The date by whose months a published table is kept; None for a table that is kept as a whole.

    That is the contract's slice column. Rejects have none: their slices are deliveries.
    """
    names = {column.name for column in contract(table).columns}
    column = contract(table).slice_column
    return column if column in names else None


def _month(file: str) -> date | None:
    """The month that a file is named after; None for the file of a whole or an empty table."""
    name = file.rpartition("/")[2].removesuffix(".parquet")
    return date.fromisoformat(f"{name}-01") if name[:1].isdigit() else None


def _overlaps(month: date | None, start: date | None, end: date | None) -> bool:
    """Whether the days of a month meet `[start, end)`; a file of no month always may."""
    if month is None:
        return True
    return (start is None or month >= month_start(start)) and (end is None or month < end)


def _bounded(rows: pa.Table, column: str, start: date | None, end: date | None) -> pa.Table:
    if start is not None:
        rows = rows.filter(pc.field(column) >= pa.scalar(start))
    if end is not None:
        rows = rows.filter(pc.field(column) < pa.scalar(end))
    return rows


def current_snapshot(root: Root) -> Snapshot:
    """The snapshot that readers get now. Raises LakeError when nothing was published yet."""
    pointer = f"{PUBLISHED}/current"
    if root.is_local and root.path(pointer).is_symlink():
        return Snapshot(root, int(root.path(pointer).readlink().name))
    if not root.is_local and root.exists(f"{pointer}.json"):
        with root.open(f"{pointer}.json") as stream:
            return Snapshot(root, int(json.loads(stream.read())["number"]))
    raise LakeError(f"nothing was published in {root.location} yet; run a night first: farthing run")
