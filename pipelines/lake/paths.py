"""Where things lie below the lake's root. Names that come from outside are encoded, so that none leads elsewhere.

Here belongs: relative paths, always with forward slashes. Here does not belong: touching storage.
"""

import hashlib
from datetime import date, datetime
from urllib.parse import quote

from connectors.base import Window

TABLES = "tables"
LANDING = "landing"
PUBLISHED = "published"
SNAPSHOTS = "published/snapshots"
DATABASE = "farthing.duckdb"  # this and the next two lie in a snapshot's folder
PARQUET = "parquet"
MADE_FROM = "made_from.json"
SPOOL = "spool"
LOCK = "lock.json"

_LONGEST = 120  # characters of one encoded segment: file systems stop at 255 bytes


def safe_segment(text: str) -> str:
    """`text` as one path segment: percent-encoded, never empty, `.` or `..`, and cut with a hash when it is long."""
    encoded = quote(text, safe="").replace("~", "%7E")
    if encoded.strip(".") == "":
        encoded = encoded.replace(".", "%2E") or "%00"
    if len(encoded) <= _LONGEST:
        return encoded
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{encoded[:_LONGEST].rstrip('%')}-{digest}"


def window_segment(window: Window) -> str:
    """The window as one path segment, `20261101T000000-20261102T000000`."""
    return f"{_compact(window.start)}-{_compact(window.end)}"


def landed_page(source: str, account: str, window: Window, digest: str) -> str:
    """Where the bytes of one page lie: `landing/<source>/<account>/<window>/<sha256>`."""
    return f"{LANDING}/{safe_segment(source)}/{safe_segment(account)}/{window_segment(window)}/{digest}"


def table_folder(table: str) -> str:
    """The folder of one Delta table."""
    return f"{TABLES}/{table}"


def slice_file(slice_date: date, version: int, token: str, number: int) -> str:
    """One Parquet file of a slice, relative to its table. Files of a slice sort in the order they were written."""
    return f"data/{slice_date.isoformat()}/{version:010d}-{token}-{number:04d}.parquet"


def snapshot_folder(number: int) -> str:
    """The folder of one published snapshot."""
    return f"{SNAPSHOTS}/{number:08d}"


def parquet_file(table: str, month: date | None = None) -> str:
    """A published table's Parquet file, relative to its snapshot: the whole table, or one calendar month of it."""
    return f"{PARQUET}/{table}.parquet" if month is None else f"{PARQUET}/{table}/{month:%Y-%m}.parquet"


def empty_parquet_file(table: str) -> str:
    """The file that shows the columns of a table by months that has no rows at all."""
    return f"{PARQUET}/{table}/empty.parquet"


def _compact(instant: datetime) -> str:
    return instant.strftime("%Y%m%dT%H%M%S")
