"""One Delta table of the lake: opened, listed, and changed by single commits.

Files are written first and belong to nothing; one entry in the Delta log takes them in and the replaced ones out.
A run killed anywhere in between leaves the table as it was. Any Delta reader can open these tables as they stand.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from contracts import contract
from pipelines.lake.errors import SchemaChangedError
from pipelines.lake.paths import slice_file, table_folder
from pipelines.lake.root import Root, sync
from pipelines.lake.rows import Written
from pipelines.lake.slices import PARTITION_FIELDS, PARTITIONS, LiveFile, live_files

# A checkpoint every 20 commits keeps opening a table at milliseconds. History stays for time travel until an
# operator vacuums: a finance ledger must be able to show what it said a year ago.
_CONFIGURATION = {
    "delta.checkpointInterval": "20",
    "delta.enableExpiredLogCleanup": "false",
    "delta.logRetentionDuration": "interval 1000 weeks",
}


_SLICE_NOTE = "farthing.slice"  # in the log, which slices a commit was about, one a line


@dataclass(frozen=True)
class Change:
    """What a commit does to one slice.

    `written` are spool files that are moved to their place, `replaced` are files of the current version that go, and
    `fingerprint` says what the slice was made from.
    """

    slice_date: date
    slice_source: str
    fingerprint: str
    written: Sequence[Written]
    replaced: Sequence[LiveFile] = ()


class StoredTable:
    """The table of that name. Holds its log between calls and only reads what was added since."""

    def __init__(self, root: Root, name: str, *, alone: bool = False) -> None:
        self.root = root
        self._alone = alone
        self.name = name
        self.folder = table_folder(name)
        self._delta: DeltaTable | None = None
        self._is_current = False
        self._listed: tuple[int, list[LiveFile]] | None = None

    def share(self, *, alone: bool) -> None:
        """Says whether this process alone may write: then the log needs reading once, not at every look."""
        self._alone = alone
        self._is_current = False

    def delta(self) -> DeltaTable | None:
        """The Delta table at its newest version; None when nothing was ever stored."""
        if self._is_current:
            return self._delta
        if self._delta is None:
            with suppress(TableNotFoundError):
                self._delta = DeltaTable(self.root.uri(self.folder), storage_options=dict(self.root.options))
        else:
            self._delta.update_incremental()
        self._is_current = self._alone
        return self._delta

    def delta_at(self, version: int) -> DeltaTable | None:
        """The Delta table as of an older version; None when nothing was ever stored."""
        if self.delta() is None:
            return None
        return DeltaTable(self.root.uri(self.folder), version=version, storage_options=dict(self.root.options))

    def versions_of(self, slice_date: date) -> list[int]:
        """The versions whose commits were about a slice of that date, newest first."""
        delta = self.delta()
        history = () if delta is None else delta.history()
        return [entry["version"] for entry in history if _is_about(entry.get(_SLICE_NOTE, ""), slice_date)]

    def files(self) -> list[LiveFile]:
        """The files of the current version."""
        delta = self.delta()
        if delta is None:
            return []
        if self._listed is None or self._listed[0] != delta.version():
            self._listed = (delta.version(), live_files(pa.table(delta.get_add_actions(flatten=True))))
        return self._listed[1]

    def commit(self, changes: Sequence[Change], *, milliseconds: int = 0) -> None:
        """Takes finished files in, and those they replace out, of one slice or of several, in one commit.

        Args:
            changes: what becomes of each slice.
            milliseconds: the time to note in the log, since 1970-01-01 UTC.

        Raises:
            SchemaChangedError: the contract no longer matches what is stored.
        """
        delta = self._ready()
        adds = [add for change in changes for add in self._adopted(change, delta.version() + 1, milliseconds)]
        removes = [_removal(file, milliseconds) for change in changes for file in change.replaced]
        about = "\n".join(f"{change.slice_date} {change.slice_source}" for change in changes)
        delta.create_write_transaction(
            [*adds, *removes],
            "append",
            delta.schema(),
            list(PARTITIONS),
            commit_properties=CommitProperties(custom_metadata={_SLICE_NOTE: about}),
        )
        delta.update_incremental()
        self._sync_log(delta.version())

    def _adopted(self, change: Change, version: int, milliseconds: int) -> list[AddAction]:
        """The files of a change, in their place: they belong to nothing until the log has them."""
        partition = _partition(change.slice_date, change.slice_source, change.fingerprint)
        token = uuid4().hex[:12]
        adds: list[AddAction] = []
        for number, file in enumerate(change.written):
            path = slice_file(change.slice_date, version, token, number)
            self.root.adopt(file.file, f"{self.folder}/{path}")
            stats = json.dumps({"numRecords": file.row_count})
            adds.append(AddAction(path, file.size, partition, milliseconds, True, stats))
        return adds

    def _ready(self) -> DeltaTable:
        """The Delta table in the contract's schema, created or widened where needed."""
        schema = contract(self.name).arrow_schema()
        delta = self.delta()
        if delta is None:
            self._delta = delta = DeltaTable.create(
                self.root.uri(self.folder),
                Schema.from_arrow(_stored_schema(schema)),
                partition_by=list(PARTITIONS),
                configuration=_CONFIGURATION,
                storage_options=dict(self.root.options),
            )
            return delta
        if added := self._added_columns(delta, schema):
            delta.alter.add_columns(Schema.from_arrow(pa.schema(added)).fields)
            delta.update_incremental()
        return delta

    def _added_columns(self, delta: DeltaTable, schema: pa.Schema) -> list[pa.Field]:
        stored = pa.schema(delta.schema().to_arrow())
        for field in schema:
            if field.name in stored.names and not stored.field(field.name).type.equals(field.type):
                raise SchemaChangedError(
                    f"{self.name}.{field.name} is stored as {stored.field(field.name).type}, its contract says "
                    f"{field.type}; move {self.root.uri(self.folder)} away and stage or build the table anew"
                )
        return [field.with_nullable(True) for field in schema if field.name not in stored.names]

    def _sync_log(self, version: int) -> None:
        if self.root.is_local:
            log = self.root.path(f"{self.folder}/_delta_log")
            sync(log / f"{version:020d}.json")
            sync(log)


def _stored_schema(schema: pa.Schema) -> pa.Schema:
    """Nullable throughout, so that columns can come and go without rewriting history.

    Nullability is the contract's word, and it is kept when rows are written.
    """
    return pa.schema([*(field.with_nullable(True) for field in schema), *PARTITION_FIELDS])


def _is_about(note: str, slice_date: date) -> bool:
    return any(line.startswith(f"{slice_date} ") for line in note.splitlines())


def _partition(slice_date: date, slice_source: str, fingerprint: str) -> dict[str, str | None]:
    return dict(zip(PARTITIONS, (slice_date.isoformat(), slice_source, fingerprint), strict=True))


def _removal(file: LiveFile, milliseconds: int) -> RemoveAction:
    partition = _partition(file.slice_date, file.slice_source, file.fingerprint)
    return RemoveAction(file.path, True, milliseconds, file.size, partition)
