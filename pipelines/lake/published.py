"""Reading the published snapshot back: what `report` and `query` stand on.

Here belongs: finding the current snapshot, its tables and its database, on a folder and on an object store alike.
Here does not belong: building one.
"""

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import contract
from pipelines.lake.errors import LakeError
from pipelines.lake.paths import PUBLISHED, snapshot_folder
from pipelines.lake.publish import DATABASE, PARQUET
from pipelines.lake.root import Root


@dataclass(frozen=True)
class Snapshot:
    """One published snapshot. It does not change; a later run publishes another."""

    root: Root
    number: int

    @property
    def folder(self) -> str:
        """Where it lies, relative to the root."""
        return snapshot_folder(self.number)

    def read(self, table: str) -> pa.Table:
        """A table's rows, in the contract's schema. Raises LakeError when the snapshot does not hold it."""
        file = f"{self.folder}/{PARQUET}/{table}.parquet"
        if not self.root.exists(file):
            raise LakeError(
                f"snapshot {self.number} has no table {table}; publish again with this version: farthing run"
            )
        with self.root.open(file) as stream:
            return pq.read_table(pa.PythonFile(stream, mode="r")).cast(contract(table).arrow_schema())

    @contextmanager
    def database(self) -> Generator[duckdb.DuckDBPyConnection]:
        """The snapshot's DuckDB file, read-only; from an object store through a copy in a scratch folder."""
        if self.root.is_local:
            with duckdb.connect(str(self.root.path(f"{self.folder}/{DATABASE}")), read_only=True) as connection:
                yield connection
            return
        with self.root.spool() as scratch:
            file = scratch / DATABASE
            with self.root.open(f"{self.folder}/{DATABASE}") as source, file.open("wb") as target:
                shutil.copyfileobj(source, target)
            with duckdb.connect(str(file), read_only=True) as connection:
                yield connection


def current_snapshot(root: Root) -> Snapshot:
    """The snapshot that readers get now. Raises LakeError when nothing was published yet."""
    pointer = f"{PUBLISHED}/current"
    if root.is_local and root.path(pointer).is_symlink():
        return Snapshot(root, int(root.path(pointer).readlink().name))
    if not root.is_local and root.exists(f"{pointer}.json"):
        with root.open(f"{pointer}.json") as stream:
            return Snapshot(root, int(json.loads(stream.read())["number"]))
    raise LakeError(f"nothing was published in {root.location} yet; run a night first: farthing run")
