"""The snapshot that is about to be built: its tables' rows in the lake, and which of them the one before lacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.dataset as ds

from contracts import contract
from pipelines.calendar import month_start, next_month
from pipelines.lake.errors import LakeError
from pipelines.lake.made_from import MadeFrom, slice_date
from pipelines.lake.published import Snapshot, month_column
from pipelines.lake.tables import Tables

META = "meta"


class SnapshotUnusableError(LakeError):
    """The snapshot before is not what its own account says. The next is then built without it."""


@dataclass(frozen=True)
class Draft:
    """The tables to publish, their account `meta`, what they are made from, and what the one before was made from.

    Without one before (`before` is None) everything counts as changed.
    """

    tables: Tables
    names: Sequence[str]
    meta: pa.Table
    now: MadeFrom
    before: tuple[Snapshot, MadeFrom] | None = None

    def is_changed(self, name: str) -> bool:
        """Whether a table differs from the snapshot before."""
        if name == META or self.before is None:
            return True
        return self.now.slices[name] != self.before[1].slices[name]

    def changed_months(self, name: str) -> dict[date, list[date]]:
        """The slices of a table by months that differ or are gone, by the first day of their month."""
        found = self.now.slices[name].items()
        known = self.before[1].slices[name].items() if self.before else set[tuple[str, str]]()
        months: dict[date, list[date]] = {}
        for day in sorted({slice_date(key) for key, _ in found ^ known}):
            months.setdefault(month_start(day), []).append(day)
        return months

    def rows_by_month(self, name: str) -> dict[date, int]:
        """How many rows each calendar month of a table has, from metadata."""
        months: dict[date, int] = {}
        for piece in self.tables.slices(name):
            month = month_start(piece.slice_date)
            months[month] = months.get(month, 0) + piece.row_count
        return months

    def row_count(self, name: str) -> int:
        """How many rows a table has, from metadata."""
        return self.meta.num_rows if name == META else sum(piece.row_count for piece in self.tables.slices(name))

    def read(self, name: str) -> pa.Table:
        """All rows of a table."""
        return self.meta if name == META else self.tables.read(name)

    def read_month(self, name: str, month: date) -> pa.Table:
        """The rows of one calendar month of a table by months."""
        return self.tables.read(name, month, next_month(month))

    def read_slices(self, name: str, dates: Sequence[date]) -> pa.Table:
        """The rows of some slices of one month."""
        dataset = self.tables.dataset(name, dates[0], dates[-1] + timedelta(days=1))
        return dataset.to_table(filter=ds.field(month_column(name) or "").isin(list(dates)))

    @property
    def contents(self) -> tuple[str, ...]:
        """Every table of the snapshot, its account included."""
        return (*self.names, META)


def columns_of(name: str) -> pa.Table:
    """A table without rows."""
    return contract(name).arrow_schema().empty_table()
