"""FOCUS's Cost and Usage as a file of one version of the standard: its columns under its names, then those named x_.

Here belongs: the file. Here does not belong: any value of it.
"""

import csv
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.focus import focus_mapping

ROWS_AT_ONCE = 100_000
_UTC = pa.timestamp("us", "UTC")


class FocusFileError(Exception):
    """The file cannot be written as it was asked for."""


def write_focus(rows: pa.Table, version: str, file: Path) -> None:
    """Writes rows of `focus_cost_and_usage` as CSV or Parquet, as the file's name ends; whole or not at all.

    Raises FocusFileError for another ending, and where the file cannot be written.
    """
    if file.suffix not in _WRITERS:
        raise FocusFileError(f"{file} ends in {file.suffix or 'nothing'}; FOCUS is written as {' or '.join(_WRITERS)}")
    mapping = focus_mapping()
    told = {name for name in rows.column_names if rows[name].null_count < rows.num_rows}
    names = {
        name: called
        for name, called in mapping.names(version).items()
        if not mapping.is_left_out(name, is_told=name in told)
    }
    exported = rows.select(list(names)).rename_columns(list(names.values()))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as scratch:
            aside = Path(scratch.name)
        try:
            _WRITERS[file.suffix](exported, version, aside)
            aside.chmod(0o666 & ~_umask())
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise FocusFileError(f"{file} cannot be written: {error.strerror or error}") from error


def _write_parquet(rows: pa.Table, version: str, file: Path) -> None:
    """Instants with their zone, and the standard's version in the file's metadata."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            zoned = rows.column(place).cast(_UTC)
            rows = rows.set_column(place, pa.field(field.name, _UTC, nullable=field.nullable), zoned)
    pq.write_table(rows.replace_schema_metadata({"focus_version": version}), file, compression="zstd")


def _write_csv(rows: pa.Table, _version: str, file: Path) -> None:
    """UTF-8, one header line, NULL as nothing, instants as the standard writes them."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(rows.column_names)
        for line in _lines(rows):
            writer.writerow([_text(value) for value in line])


def _lines(rows: pa.Table) -> Iterator[tuple[object, ...]]:
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_WRITERS: Mapping[str, Callable[[pa.Table, str, Path], None]] = {".parquet": _write_parquet, ".csv": _write_csv}
