"""CSV and CSV.gz, streamed in blocks. Every value stays the text that it was.

A CSV has no end mark. What can be told is told: an open quote, or a last record that lacks columns and its line break.
A file that was cut exactly between two records is only found by a control total.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from connectors.base import Body
from connectors.focus.batch import BATCH_ROWS, Batch, Malformed, incomplete, require_names_once
from connectors.focus.streams import GARBLED, Meter, Utf8, metered

_BLOCK_BYTES = 16 * 1024 * 1024  # also the longest record
_HEADER_BYTES = 1024 * 1024
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, pa.ArrowInvalid)


def read_csv(name: str, body: Body, *, compressed: bool, delimiter: str = ",") -> Iterator[Batch]:
    """The records of a CSV with a header line.

    Raises IncompleteDeliveryError for a file without a header, a cut or damaged archive, an open quote at the end, and
    a last record that ends too early.
    """
    try:
        with metered(body, compressed=compressed) as text:
            header = _header(name, text, delimiter)
        with metered(body, compressed=compressed) as text:
            yield from _records(name, text, header, delimiter)
    except _DAMAGE as error:
        raise incomplete(name, f"cannot be read as CSV ({error})") from None


def _header(name: str, text: Meter, delimiter: str) -> list[str]:
    head = io.BufferedReader(text, 1 << 16).read(_HEADER_BYTES).decode("utf-8-sig", "replace")
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    header = next(reader, [])
    if not header or reader.line_num != 1:
        raise incomplete(name, "has no header line")
    require_names_once(name, header)
    return header


def _records(name: str, text: Meter, header: list[str], delimiter: str) -> Iterator[Batch]:
    malformed: list[Malformed] = []

    def refuse(record: Any) -> str:
        detail = f"the record has {record.actual_columns} columns, the header {record.expected_columns}"
        malformed.append(Malformed(record.number - 1, _shown(record.text), detail))  # the header counts there as well
        return "skip"

    valid = Utf8(text)
    position, taken = 1, 0
    for block in _blocks(valid, len(header), delimiter, refuse):
        rows = _numbered(position, block.num_rows, {record.row for record in malformed[taken:]})
        position = rows[-1] + 1 if block.num_rows else position
        passed = [record for record in malformed[taken:] if record.row < position]
        taken += len(passed)
        yield from _sliced(block, header, rows, passed, garbled=valid.garbled)
    _require_end(name, text, malformed, position)
    if taken < len(malformed) or position == 1:
        yield from _sliced(_empty(len(header)), header, _numbered(position, 0, set()), malformed[taken:], garbled=False)


def _blocks(text: Utf8, width: int, delimiter: str, refuse: Any) -> Iterator[pa.RecordBatch]:
    names = [str(n) for n in range(width)]
    reader = pa_csv.open_csv(
        io.BufferedReader(text, 1 << 20),
        # one thread: only then does the reader know the number of a record that it refuses
        read_options=pa_csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
    )
    yield from reader


def _empty(width: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=pa.schema([(str(n), pa.large_string()) for n in range(width)]))


def _numbered(start: int, count: int, skipped: set[int]) -> pl.Series:
    """The next `count` numbers from `start` on that were not skipped."""
    numbers = pl.int_range(start, start + count + len(skipped), eager=True)
    return numbers.filter(~numbers.is_in(sorted(skipped))).head(count)


def _sliced(
    block: pa.RecordBatch, header: list[str], rows: pl.Series, malformed: list[Malformed], *, garbled: bool
) -> Iterator[Batch]:
    frame = cast("pl.DataFrame", pl.from_arrow(block))
    frame.columns = header
    odd = _garbled_columns(frame) if garbled else pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    if garbled:
        frame = frame.with_columns(pl.all().str.replace_all(GARBLED, "\\x", literal=True))
    for start in range(0, max(frame.height, 1), BATCH_ROWS):
        yield Batch(
            frame.slice(start, BATCH_ROWS),
            rows.slice(start, BATCH_ROWS),
            odd.slice(start, BATCH_ROWS),
            malformed=tuple(malformed) if start == 0 else (),
        )


def _garbled_columns(frame: pl.DataFrame) -> pl.Series:
    """For each record the first column whose text was no UTF-8."""
    marked = [pl.when(pl.col(c).str.contains(GARBLED, literal=True)).then(pl.lit(c)) for c in frame.columns]
    return frame.select(pl.coalesce(marked)).to_series()


def _shown(text: str) -> str:
    return text.replace(GARBLED, "\\x")


def _require_end(name: str, text: Meter, malformed: list[Malformed], position: int) -> None:
    if text.quotes % 2:
        raise incomplete(name, "ends within a quoted value")
    if malformed and malformed[-1].row >= position and text.last != b"\n":
        raise incomplete(name, "ends in the middle of a record")
