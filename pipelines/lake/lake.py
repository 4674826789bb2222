"""The lake as the other rooms know it: one object over storage, tables, lock, deliveries and publication."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import pyarrow as pa
import pyarrow.dataset as ds

from connectors.base import Source, SourceSettings, Window
from pipelines.lake.deliveries import Delivery, Journal, attempt
from pipelines.lake.ingest import ingest
from pipelines.lake.lock import holding
from pipelines.lake.publish import Publication, publish
from pipelines.lake.published import Snapshot, current_snapshot
from pipelines.lake.root import Root, open_root
from pipelines.lake.slices import Slice
from pipelines.lake.stage import Order
from pipelines.lake.tables import Piece, Tables
from pipelines.lake.withdraw import standing, withdraw
from pipelines.limits import Limits

Clock = Callable[[], datetime]


class Lake:
    """Everything below one root. Reading needs nothing; whatever writes does so under the lake's lock."""

    def __init__(self, root: Root, clock: Clock) -> None:
        self.root = root
        self._clock = clock
        self._tables = Tables(root, clock)
        self._journal: Journal | None = None
        self._still_held: Callable[[], None] | None = None

    @classmethod
    def open(cls, root: str, storage: Mapping[str, str], clock: Clock) -> "Lake":
        """Opens the lake at a folder or `s3://bucket/prefix`; `storage` holds the object store's options.

        Raises LakeError when the folder cannot be used.
        """
        return cls(open_root(root, storage), clock)

    @contextmanager
    def writing(self, run_id: str) -> Generator[None]:
        """Holds the lake's lock. Raises LakeLockedError, naming the holder, when another run writes."""
        with holding(self.root, run_id, self._clock) as check:
            self.root.clear_spool()
            self._still_held = check
            self._tables.share(alone=True)
            try:
                yield
            finally:
                self._tables.share(alone=False)
                self._still_held = None
                self._journal = None

    def ingest(
        self,
        source: Source,
        settings: SourceSettings,
        window: Window,
        run_id: str,
        *,
        confirmed: bool = False,
        limits: Limits | None = None,
    ) -> Delivery:
        """Takes in one window of a source and records the attempt. A source's fault is a status, not an exception.

        Args:
            source: the connector.
            settings: the source's settings.
            window: what to fetch; its first day names the slice that is replaced.
            run_id: the run that asks.
            confirmed: takes the delivery for the truth though it is nothing, or far more or less than before.
            limits: how far it may go without that.

        Returns:
            The attempt as recorded in `deliveries`.
        """
        with self._write(run_id):
            journal = self._noted()
            ordinal = journal.count(settings.name, window.slice_date)
            begun = attempt(settings, source.fact, window, run_id, self._clock(), ordinal)
            order = Order(source, settings, window, confirmed, limits or Limits())
            return ingest(self.root, self._tables, journal, order, begun)

    def asked(self, source: str) -> dict[date, datetime | None]:
        """Every slice that a source was ever asked for, and when what is there was last taken in or confirmed.

        None where nothing ever was.
        """
        return self._noted().asked(source)

    def standing(self, fact: str) -> dict[str, list[date]]:
        """By source: its slices of a staged fact that count. Oldest first."""
        return standing(self._tables, self._noted(), fact)

    def in_place(self, fact: str, source: str) -> list[Delivery]:
        """The attempts that put a source's slices of a fact in place."""
        return [d for d in self._noted().in_place() if (d.fact, d.x_source) == (fact, source)]

    def withdraw(self, fact: str, source: str, run_id: str) -> list[Delivery]:
        """Empties every slice of a source in a staged fact; landing and journal keep what was. The attempts."""
        with self._write(run_id):
            return list(withdraw(self._tables, self._noted(), fact, source, run_id, self._clock))

    def replace_slice(self, table: str, slice_date: date, slice_source: str, rows: pa.Table, fingerprint: str) -> None:
        """Replaces one slice of a table by `rows`, which may be none, in one commit.

        Raises ContractBrokenError when the rows do not fit the contract; the slice stays as it was.
        """
        with self._write(table):
            self._tables.replace(table, slice_date, slice_source, rows, fingerprint)

    def replace_slices(self, table: str, slice_source: str, pieces: Sequence[Piece]) -> None:
        """Replaces the slices of several dates (date, rows, fingerprint) in one commit: all of them, or none.

        Raises ContractBrokenError when the rows of one do not fit the contract; every slice stays as it was.
        """
        with self._write(table):
            self._tables.replace_together(table, slice_source, pieces)

    def append(self, table: str, rows: pa.Table) -> None:
        """Adds rows to a table that is a journal, such as `deliveries`."""
        with self._write(table):
            self._tables.append(table, rows)
            self._journal = None

    def read_slice(self, table: str, slice_date: date, slice_source: str) -> pa.Table:
        """The rows of one slice, in the contract's schema; none when there is none."""
        return self._tables.read_slice(table, slice_date, slice_source)

    def slices(self, table: str) -> list[Slice]:
        """The slices of a table, ordered by date and source. Costs a look at metadata."""
        return self._tables.slices(table)

    def files(self, table: str, start: date | None = None, end: date | None = None) -> list[str]:
        """Local Parquet files of the slices in `[start, end)`. Raises LakeError on an object store."""
        return self._tables.files(table, start, end)

    def dataset(self, table: str, start: date | None = None, end: date | None = None) -> ds.Dataset:
        """The slices in `[start, end)` as an Arrow dataset in the contract's schema."""
        return self._tables.dataset(table, start, end)

    def read(self, table: str, start: date | None = None, end: date | None = None) -> pa.Table:
        """The rows of the slices in `[start, end)`, in the contract's schema; none when nothing was stored yet."""
        return self._tables.read(table, start, end)

    def read_at(self, table: str, version: int, start: date | None = None, end: date | None = None) -> pa.Table:
        """The rows of the slices in `[start, end)` as they were at one of a table's versions.

        Raises LakeError when there is no such version, or its files were removed.
        """
        return self._tables.read_at(table, version, start, end)

    def dataset_at(self, table: str, version: int, start: date | None = None, end: date | None = None) -> ds.Dataset:
        """The same as an Arrow dataset, whose files are read when it is. Raises LakeError without such a version."""
        return self._tables.dataset_at(table, version, start, end)

    def slices_at(self, table: str, version: int) -> list[Slice]:
        """The slices of a table as they were at one of its versions. Raises LakeError when there is none."""
        return self._tables.slices_at(table, version)

    def versions_of(self, table: str, slice_date: date) -> list[int]:
        """The versions of a table in which a slice of that date was replaced, newest first."""
        return self._tables.versions_of(table, slice_date)

    def versions(self) -> dict[str, int]:
        """The Delta version of every table that exists, by name."""
        return self._tables.versions()

    def publish(self, names: Sequence[str], meta: pa.Table) -> Publication:
        """Publishes tables by name as they stand, with `meta`: readers see all of it or the snapshot before.

        Only slices that changed since the snapshot before are written.
        """
        with self._write("publish"):
            return publish(self._tables, names, meta)

    def published(self) -> Snapshot:
        """The snapshot that readers get now. Raises LakeError when nothing was published yet."""
        return current_snapshot(self.root)

    def _noted(self) -> Journal:
        """The journal: for whoever holds the lock the one it writes, else as it is stored now."""
        if self._still_held is None:
            return Journal(self._tables)
        self._journal = self._journal or Journal(self._tables)
        return self._journal

    @contextmanager
    def _write(self, purpose: str) -> Generator[None]:
        """The lock for one operation, unless this lake holds it already."""
        if self._still_held is not None:
            self._still_held()
            yield
            return
        with self.writing(purpose):
            yield
