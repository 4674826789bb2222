"""What an explanation may look at: the published snapshot, and the lake's tables as it was made from them."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import duckdb
import polars as pl
import pyarrow.dataset as ds

from contracts import contract
from models.frames import frame_of, schema_of
from pipelines.lake import Lake, Slice
from pipelines.night.stale import is_out_of_reach


@dataclass(frozen=True)
class Evidence:
    """An open snapshot. `versions` are those that the lake's tables had when it was made, by table."""

    lake: Lake
    number: int
    database: duckdb.DuckDBPyConnection
    versions: Mapping[str, int]
    locked: frozenset[date]
    configuration: str = ""
    """Hash of the configuration with which the snapshot was made."""
    _slices: dict[tuple[str, int], list[Slice]] = field(default_factory=dict[tuple[str, int], list[Slice]], repr=False)
    files_told: dict[tuple[object, ...], tuple[Mapping[str, object], Sequence[str]]] = field(
        default_factory=dict[tuple[object, ...], tuple[Mapping[str, object], Sequence[str]]], repr=False
    )
    """What was looked up of deliveries: by fact, version, slice and source, with the names of their files."""

    def slices_at(self, table: str, version: int) -> list[Slice]:
        """The slices of a table at one of its versions, looked up once. Raises LakeError when there is none."""
        if (table, version) not in self._slices:
            self._slices[table, version] = self.lake.slices_at(table, version)
        return self._slices[table, version]

    def rows(self, sql: str, parameters: Sequence[object] = (), /, **given: pl.DataFrame | ds.Dataset) -> pl.DataFrame:
        """The rows of a query on the snapshot; frames and datasets that are `given` can be read by their names."""
        for name, source in given.items():
            self.database.register(name, source.to_arrow() if isinstance(source, pl.DataFrame) else source)
        try:
            return frame_of(self.database.sql(sql, params=list(parameters)).to_arrow_table())
        finally:
            for name in given:
                self.database.unregister(name)

    def has(self, table: str) -> bool:
        """Whether the snapshot has a table: one that is younger than the snapshot it has not."""
        found = self.database.execute("select 1 from information_schema.tables where table_name = ?", [table])
        return bool(found.fetchall())

    def published(self, table: str, where: str, **given: pl.DataFrame) -> pl.DataFrame:
        """Rows of a published table in its contract's columns; columns that came after the snapshot are NULL."""
        found = self.rows(f"select t.* from {table} t where {where}", (), **given)
        schema = schema_of(table)
        missing = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in found.columns]
        return found.with_columns(missing).select(schema.names())

    def is_rebuilt(self, period: date) -> bool:
        """Whether nights still make a billing period anew when what it was built from changes."""
        day = "select max(cast(right(name, 10) as date)) as newest from meta where section = 'day_state'"
        newest = self.rows(day)["newest"].item()
        return newest is not None and not is_out_of_reach(period, newest)

    def stored(self, table: str, start: date | None = None, end: date | None = None) -> pl.DataFrame:
        """A table's slices in `[start, end)` as the snapshot was made from them; none where none were stored.

        Raises LakeError when the lake no longer has them.
        """
        if table not in self.versions:
            return frame_of(contract(table).arrow_schema().empty_table())
        return frame_of(self.lake.read_at(table, self.versions[table], start, end))


@contextmanager
def evidence(lake: Lake) -> Generator[Evidence]:
    """Opens what is published now. Raises LakeError when nothing is."""
    snapshot = lake.published()
    with snapshot.database() as database:
        made_from = database.execute("select name, value from meta where section = 'table_version'").fetchall()
        locked = database.execute("select billing_period from period_closings").fetchall()
        versions = {name: int(value) for name, value in made_from}
        used = database.execute("select value from meta where section = 'configuration' and name = 'sha256'").fetchall()
        months = frozenset(month for (month,) in locked)
        yield Evidence(lake, snapshot.number, database, versions, months, used[0][0] if used else "")
