"""The snapshot's Parquet: a file a table, or a folder with a file a calendar month for tables that grow by months."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.lake.draft import Draft, SnapshotUnusableError, columns_of
from pipelines.lake.paths import empty_parquet_file, parquet_file
from pipelines.lake.published import month_column


def write_parquet(folder: Path, draft: Draft) -> list[str]:
    """Writes what changed below `folder`. Returns the files that are the same as in the snapshot before.

    Raises SnapshotUnusableError when the one before lacks such a file.
    """
    kept: list[str] = []
    for name in draft.contents:
        if month_column(name) is not None:
            kept += _write_months(folder, draft, name)
        elif draft.is_changed(name):
            _write(draft.read(name), folder / parquet_file(name))
        else:
            kept.append(parquet_file(name))
    if missing := [file for file in kept if draft.before is None or file not in draft.before[1].files]:
        raise SnapshotUnusableError(f"the snapshot before does not hold {missing[0]}")
    return kept


def _write_months(folder: Path, draft: Draft, name: str) -> list[str]:
    months = sorted(month for month, count in draft.rows_by_month(name).items() if count)
    changed = draft.changed_months(name)
    for month in months:
        if month in changed:
            _write(draft.read_month(name, month), folder / parquet_file(name, month))
    if not months:
        _write(columns_of(name), folder / empty_parquet_file(name))
    return [parquet_file(name, month) for month in months if month not in changed]


def _write(rows: pa.Table, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, file, compression="zstd", write_page_checksum=True)
