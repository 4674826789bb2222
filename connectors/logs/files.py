"""The rows of one stored file, whatever holds them: JSON, CSV or Parquet; plain or gzip.

Here belongs: finding the rows, and bounding what a file may cost. Here does not belong: what a row means.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, cast, overload

from isal import igzip, igzip_lib

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.logs.values import WITHHELD, json_value

_LONGEST_LINE = 16 * 1024 * 1024  # bytes; one payload is about 11 KB
_LARGEST_DOCUMENT = 64 * 1024 * 1024  # bytes of one JSON value that stretches over lines
_LARGEST_FILE = 8 * 1024**3  # bytes after decompression
_LARGEST_PACKED_TABLE = 256 * 1024 * 1024  # bytes of a gzipped Parquet file, which is held in memory as a whole
_BUFFER = 256 * 1024
_DamagedError = cast("type[Exception]", igzip_lib.IsalError)  # whose stub takes the class for an instance


@dataclass(frozen=True)
class Csv:
    """How the log looks as CSV: the columns that every such file has, and the sign between them."""

    columns: frozenset[str]
    delimiter: str = ","


@dataclass(frozen=True)
class Unreadable:
    """A row that could not be read at all. Nothing of it is repeated: it may hold anything. Line 0 is the file.

    `lacks` names the columns that a table should have, `header` is its first line, which is never kept.
    """

    line: int
    reason: str
    size: int
    lacks: str = ""
    header: tuple[str, ...] = ()


Found = Mapping[str, Any] | Unreadable
Quick = Callable[[bytes], bytes | None]
"""From a JSON line to what is landed of it: empty for nothing, None for a line that has to be looked at as a row."""


@overload
def rows_of(stream: BinaryIO, where: str, shape: Csv | None = None) -> Iterator[Found]: ...


@overload
def rows_of(stream: BinaryIO, where: str, shape: Csv | None, quick: Quick | None) -> Iterator[Found | bytes]: ...


def rows_of(
    stream: BinaryIO, where: str, shape: Csv | None = None, quick: Quick | None = None
) -> Iterator[Found | bytes]:
    """Every row of the file, in its order. `where` names the file in messages; `shape` is how a CSV of the log looks.

    JSON may be one object, one array of objects, or lines of either. A file that is neither JSON nor Parquet, and no
    CSV of this log, is one `Unreadable`. Of lines that `quick` knows the landed ones come instead of rows. Parquet is
    read from wherever its bytes lie in the stream, which is at its beginning.

    Raises IncompleteDeliveryError for a file that ends too early, and SourceError for one beyond all bounds.
    """
    raw = io.BufferedReader(cast("io.RawIOBase", stream), _BUFFER)
    is_gzip = raw.peek(2)[:2] == b"\x1f\x8b"
    inner = cast("BinaryIO", igzip.IGzipFile(fileobj=raw)) if is_gzip else raw
    plain = io.BufferedReader(_Bounded(inner, where), _BUFFER)
    try:
        if plain.peek(3)[:3] == b"\xef\xbb\xbf":
            plain.read(3)
        head = plain.peek(64)[:64].lstrip()
        if head[:4] == b"PAR1":
            from connectors.logs.parquet import parquet_rows

            table = _in_memory(plain, where) if is_gzip or not stream.seekable() else stream
            table.seek(0)
            yield from parquet_rows(table, where)
        elif head:
            yield from _json_rows(plain, where, quick) if head[:1] in b"{[" else _csv_rows(plain, where, shape)
    except (EOFError, _DamagedError, igzip.BadGzipFile) as error:
        raise _incomplete(where, f"the gzip file ends too early or is damaged ({error})") from None


def _json_rows(plain: BinaryIO, where: str, quick: Quick | None) -> Iterator[Found | bytes]:
    lines = _lines(plain, where)
    first = next(lines)
    if json_value(first) == WITHHELD:
        rest = plain.read(_LARGEST_DOCUMENT) + plain.readline(_LONGEST_LINE)
        whole = json_value(first + rest)
        if whole != WITHHELD:
            yield from _from_json(whole, 1, len(first) + len(rest))
            return
        lines = chain(io.BytesIO(rest), lines)
    for number, line in enumerate(chain([first], lines), start=1):
        if quick is not None and (landed := quick(line)) is not None:
            if landed:
                yield landed
            continue
        if line.isspace():
            continue
        value = json_value(line)
        if value == WITHHELD and number > 1 and not line.endswith(b"\n"):
            raise _incomplete(where, f"line {number} ends in the middle of a row")
        yield from _from_json(value, number, len(line))


def _from_json(value: object, line: int, size: int) -> Iterator[Found]:
    if value == WITHHELD:
        yield Unreadable(line, "not_json", size)
        return
    for item in cast("list[object]", value) if isinstance(value, list) else [value]:
        yield cast("dict[str, Any]", item) if isinstance(item, dict) else Unreadable(line, "not_an_object", size)


def _lines(plain: BinaryIO, where: str) -> Iterator[bytes]:
    while line := plain.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise SourceError(f"{where}: a line is longer than {_LONGEST_LINE} bytes; that is no request log")
        yield line


def _csv_rows(plain: BinaryIO, where: str, shape: Csv | None) -> Iterator[Found]:
    """Rows of a table's CSV export. A row of too few fields at the very end means that the file was cut off."""
    if shape is None:
        yield Unreadable(0, "unknown_format", 0)
        return
    csv.field_size_limit(_LONGEST_LINE)  # the module's own limit, 128 KiB, is less than a jsonb column
    text = io.TextIOWrapper(plain, encoding="utf-8", errors="replace", newline="")
    first = text.readline(_LONGEST_LINE)
    reader = csv.reader(chain([first], text), strict=True, delimiter=shape.delimiter)
    header = _header(reader, first)
    if lacking := shape.columns - set(header):
        yield Unreadable(0, "unknown_format", 0, ", ".join(sorted(lacking)), tuple(header))
        return
    short: Unreadable | None = None
    try:
        for fields in reader:
            if short:
                yield short
            short = None
            if len(fields) == len(header):
                yield dict(zip(header, fields, strict=True))
            elif fields:
                short = Unreadable(reader.line_num, "wrong_field_count", sum(map(len, fields)))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise _incomplete(where, f"line {reader.line_num} ends inside of a quoted value") from None
        raise SourceError(f"{where}: line {reader.line_num} is no CSV ({error}); export the table again") from None
    if short:
        raise _incomplete(where, f"line {short.line} ends in the middle of a row")


def _header(rows: Iterator[list[str]], line: str) -> list[str]:
    """The names of the columns; its first line where they are quoted and other signs divide them."""
    try:
        return next(rows, [])
    except csv.Error:
        return [line.strip()]


def _in_memory(table: BinaryIO, where: str) -> BinaryIO:
    """A table that is packed as a whole, to be read from its end: never through a disk, for it holds prompts."""
    content = table.read(_LARGEST_PACKED_TABLE + 1)
    if len(content) > _LARGEST_PACKED_TABLE:
        raise SourceError(
            f"{where}: a Parquet file of more than {_LARGEST_PACKED_TABLE} bytes inside of gzip; store it without "
            "gzip: Parquet is packed as it is, and then read piece by piece"
        )
    return io.BytesIO(content)


def _incomplete(where: str, what: str) -> IncompleteDeliveryError:
    return IncompleteDeliveryError(f"{where}: {what}; copy the file again and run the day again")


class _Bounded(io.RawIOBase):
    """A stream that ends in an error when a file unpacks to more than any log holds."""

    def __init__(self, inner: BinaryIO, where: str) -> None:
        self._inner = inner
        self._left = _LARGEST_FILE
        self._where = where

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        content = self._inner.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise SourceError(f"{self._where}: unpacks to more than {_LARGEST_FILE} bytes; split the file")
        buffer[: len(content)] = content
        return len(content)
