"""What was rendered of a locked month, and the rows behind it: kept by hash in the lake, and served unchanged."""

import hashlib
import io
from collections.abc import Mapping
from datetime import date

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import contract
from pipelines.house import House
from pipelines.lake import LakeError

KEPT = "kept_statements"
_FOLDER = "closed"


def keep(house: House, period: date, pages: Mapping[str, bytes], rows: Mapping[str, pl.DataFrame]) -> None:
    """Keeps pages and rows of a locked month. The journal is written last: a run that dies before keeps nothing."""
    files = {**pages, **{f"rows/{name}.parquet": _parquet(frame) for name, frame in rows.items()}}
    at = house.clock()
    entries: list[dict[str, object]] = []
    with house.lake.root.spool() as folder:
        for name, content in sorted(files.items()):
            digest = hashlib.sha256(content).hexdigest()
            (folder / digest).write_bytes(content)
            house.lake.root.adopt(folder / digest, f"{_FOLDER}/{digest}")
            entry = {"billing_period": period, "name": name, "sha256": digest}
            entries.append({**entry, "byte_count": len(content), "kept_at": at})
    house.lake.append(KEPT, pa.Table.from_pylist(entries, schema=contract(KEPT).arrow_schema()))


def kept_pages(house: House, period: date) -> dict[str, bytes]:
    """The pages of a locked month as they were rendered, by file name; none where none were kept.

    Raises LakeError when a file is gone or is not what was kept.
    """
    entries = [row for row in house.lake.read(KEPT).to_pylist() if row["billing_period"] == period]
    return {row["name"]: _read(house, row) for row in entries if not row["name"].startswith("rows/")}


def _read(house: House, entry: Mapping[str, str]) -> bytes:
    file = f"{_FOLDER}/{entry['sha256']}"
    found = b""
    if house.lake.root.exists(file):
        with house.lake.root.open(file) as stream:
            found = stream.read()
    if hashlib.sha256(found).hexdigest() != entry["sha256"]:
        raise LakeError(
            f"{entry['name']} of the locked month {entry['billing_period']:%Y-%m} is not what was kept: "
            f"{house.lake.root.uri(file)} is gone or was changed; restore it from a backup"
        )
    return found


def _parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    pq.write_table(frame.to_arrow(), stream)
    return stream.getvalue()
