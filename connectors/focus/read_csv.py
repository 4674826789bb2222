"""CSV and CSV.gz, streamed in blocks. Every value stays the text that it was.

A CSV has no end mark. What can be told is told: an open quote, or a last record that lacks columns and its line break.
A file that was cut exactly between two records is only found by a control total.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from connectors.base import Body
from connectors.focus.batch import BATCH_ROWS, Batch, Malformed, incomplete, require_names_once

_BLOCK_BYTES = 16 * 1024 * 1024  # also the longest record
_HEADER_BYTES = 1024 * 1024
_TRUSTED_BYTES = 10 * 1024 * 1024
_MAX_RATIO = 200  # bills shrink ten- to fortyfold
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, pa.ArrowInvalid)


class _Meter(io.RawIOBase):
    """Passes bytes on, and knows how many there were, how many quotes, and which was the last."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.count = 0
        self.quotes = 0
        self.last = b""
        self.limit: _Meter | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        chunk: bytes = self._inner.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.count += len(chunk)
        self.quotes += chunk.count(b'"')
        self.last = chunk[-1:] or self.last
        if self.limit and self.count > _TRUSTED_BYTES and self.count > _MAX_RATIO * self.limit.count:
            raise EOFError(f"it unpacks into more than {_MAX_RATIO} times its size, which no bill does")
        return len(chunk)


def read_csv(name: str, body: Body, *, compressed: bool) -> Iterator[Batch]:
    """The records of a CSV with a header line.

    Raises IncompleteDeliveryError for a file without a header, a cut or damaged archive, an open quote at the end, and
    a last record that ends too early.
    """
    try:
        with _opened(body, compressed=compressed) as text:
            header = _header(name, text)
        with _opened(body, compressed=compressed) as text:
            yield from _records(name, text, header)
    except _DAMAGE as error:
        raise incomplete(name, f"cannot be read as CSV ({error})") from None


@contextmanager
def _opened(body: Body, *, compressed: bool) -> Generator[_Meter]:
    with body.open() as stream:
        if not compressed:
            yield _Meter(stream)
            return
        packed = _Meter(stream)
        with gzip.GzipFile(fileobj=cast("BinaryIO", io.BufferedReader(packed, 1 << 16))) as unpacked:
            text = _Meter(unpacked)
            text.limit = packed
            yield text


def _header(name: str, text: _Meter) -> list[str]:
    head = io.BufferedReader(text, 1 << 16).read(_HEADER_BYTES).decode("utf-8-sig", "replace")
    reader = csv.reader(io.StringIO(head, newline=""))
    header = next(reader, [])
    if not header or reader.line_num != 1:
        raise incomplete(name, "has no header line")
    require_names_once(name, header)
    return header


def _records(name: str, text: _Meter, header: list[str]) -> Iterator[Batch]:
    malformed: list[Malformed] = []

    def refuse(record: Any) -> str:
        detail = f"the record has {record.actual_columns} columns, the header {record.expected_columns}"
        malformed.append(Malformed(record.number - 1, record.text, detail))  # the reader counts the header as well
        return "skip"

    position, taken = 1, 0
    for block in _blocks(text, len(header), refuse):
        skipped = {record.row for record in malformed[taken:]}
        rows = _numbered(position, block.num_rows, skipped)
        new = [m for m in malformed[taken:] if m.row <= (rows[-1] if block.num_rows else position)]
        taken += len(new)
        position = rows[-1] + 1 if block.num_rows else position
        yield from _sliced(block, header, rows, new)
    _require_end(name, text, malformed, position)
    yield from _sliced(_empty(len(header)), header, pl.Series([], dtype=pl.Int64), malformed[taken:])


def _blocks(text: _Meter, width: int, refuse: Any) -> Iterator[pa.RecordBatch]:
    names = [str(n) for n in range(width)]
    reader = pa_csv.open_csv(
        io.BufferedReader(text, 1 << 20),
        # one thread: only then does the reader know the number of a record that it refuses
        read_options=pa_csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_binary())),
    )
    yield from reader


def _empty(width: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=pa.schema([(str(n), pa.large_binary()) for n in range(width)]))


def _numbered(start: int, count: int, skipped: set[int]) -> pl.Series:
    """The next `count` numbers from `start` on that were not skipped."""
    numbers = pl.int_range(start, start + count + len(skipped), eager=True)
    return numbers.filter(~numbers.is_in(sorted(skipped))).head(count)


def _sliced(block: pa.RecordBatch, header: list[str], rows: pl.Series, malformed: list[Malformed]) -> Iterator[Batch]:
    columns = [_as_text(cast("pl.Series", pl.from_arrow(column))) for column in block.columns]
    garbled = pl.repeat(None, block.num_rows, dtype=pl.String, eager=True)
    for column, (_, broken) in zip(header, columns, strict=True):
        if broken is not None:
            garbled = pl.select(pl.when(broken).then(pl.lit(column)).otherwise(garbled)).to_series()
    frame = pl.DataFrame([text.alias(str(n)) for n, (text, _) in enumerate(columns)])
    frame.columns = header
    for start in range(0, max(block.num_rows, 1), BATCH_ROWS):
        yield Batch(
            frame.slice(start, BATCH_ROWS),
            rows.slice(start, BATCH_ROWS),
            garbled.slice(start, BATCH_ROWS),
            malformed=tuple(malformed) if start == 0 else (),
        )


def _as_text(column: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """The column as text, and which values of it are no UTF-8: their odd bytes are written as backslash escapes."""
    try:
        return column.cast(pl.String), None
    except pl.exceptions.ComputeError:
        values: list[bytes | None] = column.to_list()
    texts = [None if value is None else value.decode("utf-8", "backslashreplace") for value in values]
    broken = [value is not None and value != (text or "").encode() for value, text in zip(values, texts, strict=True)]
    return pl.Series(texts, dtype=pl.String), pl.Series(broken)


def _require_end(name: str, text: _Meter, malformed: list[Malformed], position: int) -> None:
    if text.quotes % 2:
        raise incomplete(name, "ends within a quoted value")
    if malformed and malformed[-1].row >= position and text.last != b"\n":
        raise incomplete(name, "ends in the middle of a record")
