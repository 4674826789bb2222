"""The published snapshot: one DuckDB file and plain Parquet beside it, built aside and swapped in by one step.

Finance opens `published/farthing.duckdb`; it never is the file that is being written. A snapshot is built in the spool,
moved to `published/snapshots/<number>` as a whole, and becomes current by one rename of a link (a folder) or one put of
`current.json` (an object store). A run killed before that leaves the snapshot before it in place.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import obstore
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import Contract, contract
from pipelines.lake.errors import LakeError
from pipelines.lake.paths import PUBLISHED, SNAPSHOTS, snapshot_folder
from pipelines.lake.root import Root, sync

DATABASE = "farthing.duckdb"
PARQUET = "parquet"
KEPT_SNAPSHOTS = 5
# The oldest format that DuckDB 2 writes: clients from 1.0 on can open it.
_STORAGE_VERSION = "v1.0.0"
_META = "meta"
T = TypeVar("T")


@dataclass(frozen=True)
class Publication:
    """What readers open, and the snapshot's number."""

    location: str
    number: int


def publish(root: Root, tables: Mapping[str, pa.Table], meta: pa.Table) -> Publication:
    """Publishes the tables and their account of what they were made from. Returns where readers find them."""
    with root.spool() as folder:
        everything = {**tables, _META: meta}
        build_database(folder / DATABASE, everything)
        (folder / PARQUET).mkdir()
        for name, rows in everything.items():
            pq.write_table(rows, folder / PARQUET / f"{name}.parquet", compression="zstd", write_page_checksum=True)
        if root.is_local:
            return _swap_folder(root, folder)
        return _swap_object(root, folder)


def build_database(file: Path, tables: Mapping[str, pa.Table]) -> None:
    """Writes the tables into a new DuckDB file: each in `main`, and under the same name in the schema `published`."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"attach '{_quoted(str(file))}' as building (storage_version '{_STORAGE_VERSION}')")
        connection.execute("use building")
        connection.execute("create schema published")
        for name, rows in tables.items():
            connection.register("incoming", rows)
            connection.execute(f'create table main."{name}" as select * from incoming')
            connection.unregister("incoming")
            connection.execute(f'create view published."{name}" as select * from main."{name}"')
            _describe(connection, contract(name))
        connection.execute("use memory")
        connection.execute("detach building")
    finally:
        connection.close()
    if leftover := [path.name for path in file.parent.glob(f"{file.name}.*")]:
        raise LakeError(f"the snapshot's database was not closed cleanly: {leftover} lies beside it; publish again")


def _describe(connection: duckdb.DuckDBPyConnection, table: Contract) -> None:
    for kind, name in (("table", f'main."{table.table}"'), ("view", f'published."{table.table}"')):
        connection.execute(f"comment on {kind} {name} is '{_quoted(table.description)}'")
        for column in table.columns:
            unit = f" [{column.unit}]" if column.unit else ""
            connection.execute(f"comment on column {name}.\"{column.name}\" is '{_quoted(column.description + unit)}'")


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _swap_folder(root: Root, built: Path) -> Publication:
    snapshots = root.path(SNAPSHOTS)
    snapshots.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in snapshots.iterdir() if path.name.isdigit()), default=0) + 1
    for path in (*built.rglob("*"), built):
        sync(path)
    built.rename(root.path(snapshot_folder(number)))
    sync(snapshots)
    published = root.path(PUBLISHED)
    for name in (DATABASE, PARQUET):
        _link(published / name, f"current/{name}")
    _link(published / "current", str(root.path(snapshot_folder(number)).relative_to(published)))
    sync(published)
    for path in _outdated(sorted(path for path in snapshots.iterdir() if path.name.isdigit())):
        shutil.rmtree(path, ignore_errors=True)
    return Publication(str(published / DATABASE), number)


def _link(link: Path, target: str) -> None:
    """Points a link at its target by one rename, so that it is never absent."""
    if link.is_symlink() and str(link.readlink()) == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def _swap_object(root: Root, built: Path) -> Publication:
    found = obstore.list_with_delimiter(root.store, SNAPSHOTS)["common_prefixes"]
    numbers = sorted(int(name) for prefix in found if (name := prefix.rstrip("/").rpartition("/")[2]).isdigit())
    number = (numbers[-1] if numbers else 0) + 1
    folder = snapshot_folder(number)
    names = sorted(path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file())
    for name in names:
        obstore.put(root.store, f"{folder}/{name}", built / name)
    pointer = {"number": number, "folder": folder, "files": names}
    obstore.put(root.store, f"{PUBLISHED}/current.json", json.dumps(pointer, indent=2).encode())
    for old in _outdated([*numbers, number]):
        stale = [meta["path"] for batch in obstore.list(root.store, snapshot_folder(old)) for meta in batch]
        obstore.delete(root.store, stale)
    return Publication(root.uri(f"{folder}/{DATABASE}"), number)


def _outdated(snapshots: list[T]) -> list[T]:
    """All but the newest few: a reader may still be busy with one of those."""
    return snapshots[:-KEPT_SNAPSHOTS]
