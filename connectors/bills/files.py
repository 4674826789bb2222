"""A landed file as DuckDB's relation `lines`: CSV and JSON lines as text, Parquet as it is.

Its columns are `c0`, `c1` and so on: no delivered name can stand for a step of the reader's own SQL, nor for another.
Malformed records of a CSV are kept apart; a malformed JSON line makes its file a damaged one.
"""

import csv
import gzip
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from connectors.base import Body, IncompleteDeliveryError, LandedPage, Page, Reject
from connectors.bills.engine import engine
from connectors.bills.json_lines import open_json_lines
from connectors.bills.names import Given, Names, literal
from connectors.bills.parquet_lines import open_parquet
from connectors.packing import needs_check, require_likely

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_CUT = ("MISSING COLUMNS", "UNQUOTED VALUE")
_FEW = 10_000  # refused records that are held at once
_BREAKS = "chr(13) || chr(10)"
_MALFORMED = "from reject_errors qualify row_number() over (partition by line order by column_idx) = 1 order by line"
_STOPPED = "invalid state"  # in the engine's words
_DEFECTS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.OutOfMemoryException)


@dataclass(frozen=True)
class Lines:
    """The open file: `connection` knows it as `lines`."""

    connection: duckdb.DuckDBPyConnection
    names: Names
    page: LandedPage
    file: Path
    is_csv: bool
    is_gzip: bool

    def malformed(self) -> Iterator[Reject]:
        """The records that do not have the file's columns; known once all lines were read.

        Raises IncompleteDeliveryError when the last one was cut, or when an unmatched quote joined several lines into
        one record: how much money lies in those nobody can tell.
        """
        if not self.is_csv:
            return
        self._refuse_joined()
        read = f"select line, error_type, error_message, csv_line from ({_MALFORMED})"
        for batch in self.connection.sql(read).to_arrow_reader(_FEW):
            for line, kind, message, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                reason = f"{kind.lower()}: {message}"
                yield Reject(self.page.page_id, line, "malformed_record", reason, text.strip("\r\n"))

    def _refuse_joined(self) -> None:
        last = self.connection.execute("select error_type from reject_errors order by line desc limit 1").fetchone()
        if last and last[0] in _CUT and not self._ends_with_line():
            raise damaged(self.page.name, "it ends in the middle of a record")
        joined = self.connection.execute(
            f"select line, csv_line from ({_MALFORMED}) where contains(trim(csv_line, {_BREAKS}), chr(10)) limit 1"
        ).fetchone()
        if joined:
            raise IncompleteDeliveryError(
                f"{self.page.name}: the record at line {joined[0]:,} runs over several lines and has not the file's "
                f"columns, so that a quote in it has no partner and the lines below cannot be told apart: "
                f"found {joined[1][:120]!r}; have the bill exported again, or mend the quote"
            )

    def _ends_with_line(self) -> bool:
        last = b""
        with gzip.open(self.file) if self.is_gzip else self.file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                last = chunk[-1:]
        return last == b"\n"


@contextmanager
def open_lines(page: LandedPage) -> Generator[Lines]:
    """The file, opened. Its lines come in the order in which they stand there.

    Raises IncompleteDeliveryError for one that is not whole. SQL that the engine cannot bind is our defect and no
    matter of the file: that error is raised as it is.
    """
    with _local(page.body) as file, engine(threads=1) as connection:
        with file.open("rb") as stream:
            head = stream.read(4)
        is_gzip = head[:2] == _GZIP
        try:
            is_json = _begins_with_brace(file, is_gzip=is_gzip)
            is_csv = head != _PARQUET and not is_json
            if is_json:
                if is_gzip:
                    _refuse_bomb(page.name, file)
                names = open_json_lines(connection, page.name, file, is_gzip=is_gzip)
            elif is_csv:
                names = _open_csv(connection, page.name, file, is_gzip=is_gzip)
            else:
                names = open_parquet(connection, page.name, file)
            yield Lines(connection, names, page, file, is_csv, is_gzip)
        except _DEFECTS:
            raise
        except (duckdb.Error, pa.ArrowInvalid, EOFError, OSError, UnicodeDecodeError, csv.Error) as error:
            raise damaged(page.name, _reason(file, str(error), is_gzip=is_gzip)) from None


def _reason(file: Path, error: str, *, is_gzip: bool) -> str:
    """The first line of the engine's error; where a CSV's lines end in two ways, the place instead."""
    if _STOPPED in error and (line := _other_ending(file, is_gzip=is_gzip)):
        return f"its lines end in two ways, and line {line:,} is the first to end otherwise than the header"
    return error.partition("\n")[0][:200]


def _other_ending(file: Path, *, is_gzip: bool) -> int | None:
    """The first line that ends in LF where the header ends in CRLF, or the other way round; breaks in quotes aside."""
    is_quoted, is_windows = False, None
    with gzip.open(file) if is_gzip else file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            is_quoted ^= line.count(b'"') % 2 == 1
            if is_quoted or not line.endswith(b"\n"):
                continue
            if is_windows is None:
                is_windows = line.endswith(b"\r\n")
            elif is_windows != line.endswith(b"\r\n"):
                return number
    return None


def damaged(name: str, reason: str) -> IncompleteDeliveryError:
    """The error for a file that is not whole."""
    return IncompleteDeliveryError(
        f"{name}: {reason}; the file is damaged or still being written: run the day again, or have it exported again"
    )


@dataclass(frozen=True)
class _File:
    path: Path

    def open(self) -> BinaryIO:
        return self.path.open("rb")


@contextmanager
def spooled(page: Page) -> Generator[Page]:
    """The page over a file of this machine, so that it is fetched once however often it is read."""
    with _local(page.body) as file:
        yield replace(page, body=_File(file))


@contextmanager
def _local(body: Body) -> Generator[Path]:
    """The body as a file of this machine: itself where it is one, else spooled."""
    with body.open() as stream:
        name = getattr(stream, "name", None)
        if isinstance(name, str | PathLike) and Path(name).is_file():
            yield Path(name)
            return
        with tempfile.NamedTemporaryFile() as spool:
            shutil.copyfileobj(stream, spool, 4 << 20)
            spool.flush()
            yield Path(spool.name)


def _begins_with_brace(file: Path, *, is_gzip: bool) -> bool:
    with gzip.open(file) if is_gzip else file.open("rb") as stream:
        return stream.read(1) == b"{"


def _open_csv(connection: duckdb.DuckDBPyConnection, where: str, file: Path, *, is_gzip: bool) -> Names:
    if is_gzip:
        _refuse_bomb(where, file)
    header = _header(where, file, is_gzip=is_gzip)
    columns = [f"c{n}" for n in range(len(header))]
    typed = ", ".join(f"{column}: 'VARCHAR'" for column in columns)
    connection.execute(
        "create view lines as select * from read_csv("
        f"{literal(str(file))}, auto_detect = false, delim = ',', quote = '\"', escape = '\"', header = true, "
        f"columns = {{{typed}}}, nullstr = '', compression = '{'gzip' if is_gzip else 'none'}', "
        "store_rejects = true, rejects_limit = 0, strict_mode = true, max_line_size = 8388608)"
    )
    given = [Given(name, column, "text", is_null_if_empty=True) for name, column in zip(header, columns, strict=True)]
    return Names(where, given)


def _header(where: str, file: Path, *, is_gzip: bool) -> list[str]:
    with (gzip.open if is_gzip else open)(file, "rt", encoding="utf-8-sig", errors="replace", newline="") as text:
        lines = list[str]()
        header = next(csv.reader(_kept(text, lines)), None)
    if not lines:
        raise damaged(where, "it is empty, without even the names of its columns")
    if not header:
        raise damaged(where, "its first line is blank, where the names of its columns are expected")
    if not lines[-1].endswith(("\n", "\r")):
        raise damaged(where, "it ends in the line that names its columns")
    if len(lines) > 1:  # the engine counts the header as one line, and would find no sound record below
        broken = next((name for name in header if "\n" in name or "\r" in name), header[0])
        raise IncompleteDeliveryError(
            f"{where}: the name of its column {broken[:80]!r} holds a line break; "
            "export the bill with the column named on one line, or without it"
        )
    return header


def _kept(lines: Iterable[str], kept: list[str]) -> Iterator[str]:
    for line in lines:
        kept.append(line)
        yield line


def _refuse_bomb(where: str, file: Path) -> None:
    """An archive that no bill can be: its first part unpacks into hundreds of times its size."""
    with file.open("rb") as packed, gzip.open(packed) as unpacked:
        read = 0
        while chunk := unpacked.read(1 << 20):
            read += len(chunk)
            if needs_check(read):
                break
        try:
            require_likely(read, packed.tell())
        except EOFError as error:
            raise damaged(where, str(error)) from None
