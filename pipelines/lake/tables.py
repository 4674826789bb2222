"""The lake's tables by name: slices replaced, rows appended and read, always in the contract's schema.

Here belongs: what callers of the lake ask of a table. Here does not belong: the Delta protocol (stored), who may
write (lock), where rows come from (ingest).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pa_fs
from deltalake.fs import DeltaStorageHandler

from contracts import all_contracts, contract
from pipelines.lake.errors import LakeError
from pipelines.lake.root import Root
from pipelines.lake.rows import Written, write_all
from pipelines.lake.slices import LiveFile, Slice, live_files, slices_of, within
from pipelines.lake.stored import Change, StoredTable

APPENDED_DATE = date(1970, 1, 1)
APPENDED_SOURCE = "appended"
Piece = tuple[date, pa.Table, str]  # a slice's date, its rows and what it was made from
COMPACT_FILES = 64  # appended files before they become one: a reader opens each of them


class Tables:
    """Every table below one root. `clock` only dates the entries of the log."""

    def __init__(self, root: Root, clock: Callable[[], datetime]) -> None:
        self.root = root
        self._clock = clock
        self._stored: dict[str, StoredTable] = {}
        self._alone = False

    def share(self, *, alone: bool) -> None:
        """Says whether this process alone may write from here on."""
        self._alone = alone
        for stored in self._stored.values():
            stored.share(alone=alone)

    def slices(self, table: str) -> list[Slice]:
        """The slices of a table, ordered by date and source; from metadata alone."""
        return slices_of(self._of(table).files())

    def slice(self, table: str, slice_date: date, slice_source: str) -> Slice | None:
        """One slice; None when there is none."""
        found = (p for p in self.slices(table) if p.slice_date == slice_date and p.slice_source == slice_source)
        return next(found, None)

    def replace(self, table: str, slice_date: date, slice_source: str, rows: pa.Table, fingerprint: str) -> None:
        """Replaces one slice by `rows`, which may be none, in one commit.

        Raises ContractBrokenError when the rows do not fit; nothing is replaced then.
        """
        with self.root.spool() as folder:
            self.replace_by_files(table, slice_date, slice_source, write_all(table, folder, [rows]), fingerprint)

    def replace_by_files(
        self, table: str, slice_date: date, slice_source: str, written: Sequence[Written], fingerprint: str
    ) -> None:
        """Replaces one slice by finished files."""
        self._replace_together(table, [Change(slice_date, slice_source, fingerprint, written)])

    def replace_together(self, table: str, slice_source: str, pieces: Sequence[Piece]) -> None:
        """Replaces the slices of several dates in one commit: all of them, or none. No pieces are no commit.

        Raises ContractBrokenError when the rows of one of them do not fit; nothing is replaced then.
        """
        with self.root.spool() as spool:
            changes: list[Change] = []
            for slice_date, rows, fingerprint in pieces:
                folder = spool / slice_date.isoformat()
                folder.mkdir()  # a date that comes twice fails here
                changes.append(Change(slice_date, slice_source, fingerprint, write_all(table, folder, [rows])))
            if changes:
                self._replace_together(table, changes)

    def _replace_together(self, table: str, changes: Sequence[Change]) -> None:
        for change in changes:
            if not change.slice_source or not change.fingerprint:
                raise LakeError(
                    f"{table}: a slice needs a source and a fingerprint; "
                    f"found {change.slice_source!r}, {change.fingerprint!r}"
                )
        stored = self._of(table)
        there: dict[tuple[date, str], list[LiveFile]] = {}
        for file in stored.files():
            there.setdefault((file.slice_date, file.slice_source), []).append(file)
        stored.commit(
            [replace(change, replaced=there.get((change.slice_date, change.slice_source), ())) for change in changes],
            milliseconds=self._milliseconds(),
        )

    def append(self, table: str, rows: pa.Table) -> None:
        """Adds rows to a table that is a journal. Many small additions are made one file from time to time."""
        stored = self._of(table)
        with self.root.spool() as folder:
            written = write_all(table, folder, [rows])
            added = Change(APPENDED_DATE, APPENDED_SOURCE, _digest(written), written)
            stored.commit([added], milliseconds=self._milliseconds())
        if len(stored.files()) >= COMPACT_FILES:
            everything = self.read(table)
            with self.root.spool() as folder:
                written = write_all(table, folder, [everything])
                self.replace_by_files(table, APPENDED_DATE, APPENDED_SOURCE, written, _digest(written))

    def files(self, table: str, start: date | None = None, end: date | None = None) -> list[str]:
        """Local paths of the Parquet files of the slices in `[start, end)`. Raises LakeError on an object store."""
        stored = self._of(table)
        return [str(self.root.path(f"{stored.folder}/{file.path}")) for file in within(stored.files(), start, end)]

    def dataset(self, table: str, start: date | None = None, end: date | None = None) -> ds.Dataset:
        """The slices in `[start, end)` as an Arrow dataset in the contract's schema."""
        stored = self._of(table)
        return self._dataset(stored, within(stored.files(), start, end))

    def read(self, table: str, start: date | None = None, end: date | None = None) -> pa.Table:
        """The rows of the slices in `[start, end)`; none when the table does not exist yet."""
        return self.dataset(table, start, end).to_table()

    def read_slice(self, table: str, slice_date: date, slice_source: str) -> pa.Table:
        """The rows of one slice; none when there is none. No other slice's file is opened."""
        stored = self._of(table)
        wanted = [f for f in stored.files() if (f.slice_date, f.slice_source) == (slice_date, slice_source)]
        return self._dataset(stored, wanted).to_table()

    def dataset_at(self, table: str, version: int, start: date | None = None, end: date | None = None) -> ds.Dataset:
        """The slices in `[start, end)` as an Arrow dataset, as they were at one of a table's versions.

        Raises LakeError when the table has no such version.
        """
        return self._dataset(self._of(table), within(self._files_at(table, version), start, end))

    def read_at(self, table: str, version: int, start: date | None = None, end: date | None = None) -> pa.Table:
        """The rows of that dataset. Raises LakeError likewise, and when the version's files were removed."""
        try:
            return self.dataset_at(table, version, start, end).to_table()
        except FileNotFoundError as error:
            message = f"{table}: files of version {version} are gone ({error}): it cannot be read again"
            raise LakeError(message) from None

    def slices_at(self, table: str, version: int) -> list[Slice]:
        """The slices of a table as they were at one of its versions. Raises as `read_at`."""
        return slices_of(self._files_at(table, version))

    def versions_of(self, table: str, slice_date: date) -> list[int]:
        """The versions of a table in which a slice of that date was replaced, newest first. Costs a look at its log."""
        return self._of(table).versions_of(slice_date)

    def _files_at(self, table: str, version: int) -> list[LiveFile]:
        stored = self._of(table)
        newest = None if (delta := stored.delta()) is None else delta.version()
        if newest is None or not 0 <= version <= newest:
            found = "was never stored" if newest is None else f"has versions 0 to {newest}"
            raise LakeError(f"{table} {found}; version {version} was asked for")
        older = stored.delta_at(version)
        return [] if older is None else live_files(pa.table(older.get_add_actions(flatten=True)))

    def versions(self) -> dict[str, int]:
        """The Delta version of every table that exists."""
        found = {name: self._of(name).delta() for name in sorted(all_contracts())}
        return {name: delta.version() for name, delta in found.items() if delta is not None}

    def _of(self, table: str) -> StoredTable:
        if table not in self._stored:
            if table not in all_contracts():
                raise LakeError(f"there is no contract for a table {table!r}; add sql/<layer>/{table}.yml")
            self._stored[table] = StoredTable(self.root, table, alone=self._alone)
        return self._stored[table]

    def _dataset(self, stored: StoredTable, files: Sequence[LiveFile]) -> ds.Dataset:
        schema = contract(stored.name).arrow_schema()
        if not files:
            return ds.dataset(schema.empty_table())
        scan = ds.ParquetFragmentScanOptions(pre_buffer=True, page_checksum_verification=True)
        if self.root.is_local:
            filesystem: pa_fs.FileSystem = pa_fs.LocalFileSystem()
            paths = [str(self.root.path(f"{stored.folder}/{file.path}")) for file in files]
        else:
            sizes = {file.path: file.size for file in files}
            handler = DeltaStorageHandler(self.root.uri(stored.folder), dict(self.root.options), sizes)
            filesystem = pa_fs.PyFileSystem(handler)
            paths = [file.path for file in files]
        parquet = ds.ParquetFileFormat(default_fragment_scan_options=scan)
        return ds.dataset(paths, schema=schema, format=parquet, filesystem=filesystem)

    def _milliseconds(self) -> int:
        return int(self._clock().replace(tzinfo=UTC).timestamp() * 1000)


def _digest(written: Sequence[Written]) -> str:
    digest = hashlib.sha256()
    for piece in written:
        digest.update(piece.file.read_bytes())
    return digest.hexdigest()
