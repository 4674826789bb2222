"""A slice: the unit that is replaced as a whole, read from a table's own list of files.

Every Delta table of the lake has three partition columns beyond its contract. They name the slice a file belongs to,
so that which slices exist, from what they were made and how many rows they have costs a look at metadata only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

SLICE_DATE = "lake_slice_date"
SLICE_SOURCE = "lake_slice_source"
SLICE_FINGERPRINT = "lake_slice_fingerprint"
PARTITIONS = (SLICE_DATE, SLICE_SOURCE, SLICE_FINGERPRINT)
PARTITION_FIELDS = (
    pa.field(SLICE_DATE, pa.date32()),
    pa.field(SLICE_SOURCE, pa.string()),
    pa.field(SLICE_FINGERPRINT, pa.string()),
)


@dataclass(frozen=True, order=True)
class Slice:
    """One slice as it stands. `fingerprint` says what it was made from; a delivery's id for a staged fact."""

    slice_date: date
    slice_source: str
    fingerprint: str
    row_count: int


@dataclass(frozen=True, order=True)
class LiveFile:
    """One file that the current version of a table consists of; `path` is relative to the table."""

    slice_date: date
    slice_source: str
    path: str
    fingerprint: str
    size: int
    row_count: int


def live_files(actions: pa.Table) -> list[LiveFile]:
    """The files behind a Delta table's flattened add actions, ordered by slice, then as they were written."""
    wanted = {
        "slice_date": f"partition.{SLICE_DATE}",
        "slice_source": f"partition.{SLICE_SOURCE}",
        "path": "path",
        "fingerprint": f"partition.{SLICE_FINGERPRINT}",
        "size": "size_bytes",
        "row_count": "num_records",
    }
    columns = [actions[name].to_pylist() for name in wanted.values()]
    return sorted(LiveFile(*values) for values in zip(*columns, strict=True))


def slices_of(files: Iterable[LiveFile]) -> list[Slice]:
    """The slices that the files make up."""
    rows: dict[tuple[date, str, str], int] = {}
    for file in files:
        key = (file.slice_date, file.slice_source, file.fingerprint)
        rows[key] = rows.get(key, 0) + file.row_count
    return sorted(Slice(*key, row_count) for key, row_count in rows.items())


def within(files: Iterable[LiveFile], start: date | None, end: date | None) -> list[LiveFile]:
    """The files of slices in `[start, end)`; None is unbounded."""
    return [
        file for file in files if (start is None or file.slice_date >= start) and (end is None or file.slice_date < end)
    ]
