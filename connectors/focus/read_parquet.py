"""Parquet, as the same text columns that a CSV gives.

Decimals and integers become their exact digits. Binary floating point, which some vendors use for money, becomes the
shortest decimal that reads back as the same number, and is marked as approximate. Maps and structures become JSON.
"""

import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.base import Body
from connectors.focus.batch import BATCH_ROWS, Batch, incomplete, require_names_once

_IN_MEMORY_BYTES = 64 * 1024 * 1024


def read_parquet(name: str, body: Body) -> Iterator[Batch]:
    """The records of a Parquet file. Raises IncompleteDeliveryError when its footer or a page of it is missing."""
    with _seekable(body) as stream:
        try:
            file = pq.ParquetFile(stream, page_checksum_verification=True)
            width = len(file.schema_arrow)
            require_names_once(name, list(file.schema_arrow.names))
            start = 1
            for batch in _batches(file):
                batch.validate(full=True)  # text that is no UTF-8 passes the reader and breaks whoever reads it next
                frame = pl.DataFrame([_as_text(batch.column(n)).alias(str(n)) for n in range(width)])
                frame.columns = list(file.schema_arrow.names)
                rows = pl.int_range(start, start + batch.num_rows, eager=True)
                floats = frozenset(f.name for f in file.schema_arrow if pa.types.is_floating(f.type))
                yield Batch(frame, rows, pl.repeat(None, batch.num_rows, dtype=pl.String, eager=True), floats)
                start += batch.num_rows
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise incomplete(name, f"cannot be read as Parquet ({reason})") from None


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    if file.metadata.num_rows == 0:
        yield pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
    yield from file.iter_batches(BATCH_ROWS)


@contextmanager
def _seekable(body: Body) -> Generator[BinaryIO]:
    """Parquet is read from its end: a stream that only goes forward is spooled, to disk if it is large."""
    with body.open() as stream:
        if stream.seekable():
            yield stream
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
            shutil.copyfileobj(stream, spool, 1 << 20)
            spool.seek(0)
            yield cast("BinaryIO", spool)


def _as_text(column: pa.Array) -> pl.Series:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        return cast("pl.Series", pl.from_arrow(column.cast(pa.timestamp("us"), safe=False)))
    if pa.types.is_date(kind):
        return cast("pl.Series", pl.from_arrow(column.cast(pa.timestamp("us"))))
    if pa.types.is_nested(kind):
        return pl.Series([_as_json(value, kind) for value in column.to_pylist()], dtype=pl.String)
    if pa.types.is_floating(kind):
        return cast("pl.Series", pl.from_arrow(column)).cast(pl.String)
    return cast("pl.Series", pl.from_arrow(pc.cast(column, pa.large_string())))


def _as_json(value: Any, kind: pa.DataType) -> str | None:
    if value is None:
        return None
    if pa.types.is_map(kind):
        value = dict(value)
    elif pa.types.is_struct(kind):  # a structure has every field in every row: an empty one is no field at all
        value = {name: found for name, found in value.items() if found is not None}
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
