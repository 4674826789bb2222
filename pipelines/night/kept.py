"""What was rendered of a locked month, its mails and the rows behind it: kept by hash in the lake, and unchanged."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from contracts import contract
from pipelines.house import House
from pipelines.lake import LakeError

KEPT = "kept_statements"
_FOLDER = "closed"
_ROWS, _MAIL = "rows/", "mail/"


def keep(
    house: House,
    period: date,
    pages: Mapping[str, bytes],
    mails: Mapping[str, bytes],
    rows: Mapping[str, pl.DataFrame],
) -> None:
    """Keeps pages, mails (by team) and rows of a locked month.

    The journal is written last: a run that dies before keeps nothing.
    """
    apart = {f"{_MAIL}{team_id}.eml": content for team_id, content in mails.items()}
    files = {**pages, **apart, **{f"{_ROWS}{name}.parquet": _parquet(frame) for name, frame in rows.items()}}
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


@dataclass(frozen=True)
class Kept:
    """What is kept of a locked month: `pages` by file name, and which of them are `lost`, each in a sentence."""

    pages: Mapping[str, bytes]
    lost: tuple[str, ...]


def kept_of(house: House, period: date) -> Kept | None:
    """The pages of a locked month as they were rendered; None where none were kept. A file that is gone is told."""
    entries = [entry for entry in _entries(house, period) if not entry["name"].startswith((_ROWS, _MAIL))]
    if not entries:
        return None
    pages: dict[str, bytes] = {}
    lost: list[str] = []
    for entry in entries:
        try:
            pages[entry["name"]] = _read(house, entry)
        except LakeError as error:
            lost.append(str(error))
    return Kept(pages, tuple(lost))


def has_mails(house: House, period: date) -> bool:
    """Whether the mails of a locked month are kept: what is sent of it is then these, and nothing is rendered anew."""
    return any(entry["name"].startswith(_MAIL) for entry in _entries(house, period))


def is_mail_kept(house: House, period: date, team_id: str) -> bool:
    """Whether a team's mail was kept when the month was locked; not, where the team came later."""
    return any(entry["name"] == f"{_MAIL}{team_id}.eml" for entry in _entries(house, period))


def kept_mail(house: House, period: date, team_id: str) -> bytes | None:
    """A team's mail as it was rendered when the month was locked; None where none was kept.

    Raises LakeError when the file is gone or is not what was kept.
    """
    wanted = f"{_MAIL}{team_id}.eml"
    return next((_read(house, entry) for entry in _entries(house, period) if entry["name"] == wanted), None)


def _entries(house: House, period: date) -> list[dict[str, str]]:
    return [row for row in house.lake.read(KEPT).to_pylist() if row["billing_period"] == period]


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
