"""The published snapshot: one DuckDB file and plain Parquet beside it, built aside and swapped in by one step.

Finance opens `published/farthing.duckdb`; it never is the file that is being written. A snapshot is built in the spool
from the one before and the slices that changed since, moved to `published/snapshots/<number>` as a whole, and becomes
current by one step. A run killed before that leaves the snapshot before it in place. Whenever the one before is not
what it says it is, the next is built from the lake alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.lake.draft import Draft, SnapshotUnusableError
from pipelines.lake.made_from import made_from, usable_snapshot
from pipelines.lake.paths import DATABASE, MADE_FROM
from pipelines.lake.root import Root
from pipelines.lake.snapshot_database import write_database
from pipelines.lake.snapshot_files import fetch
from pipelines.lake.snapshot_parquet import write_parquet
from pipelines.lake.snapshot_swap import swap_in
from pipelines.lake.tables import Tables


@dataclass(frozen=True)
class Publication:
    """What readers open, the snapshot's number, and whether all of it was written anew."""

    location: str
    number: int
    is_from_scratch: bool


def publish(tables: Tables, names: Sequence[str], meta: pa.Table) -> Publication:
    """Publishes tables as they stand in the lake, and `meta`. The caller holds the lake's lock.

    Raises LakeError when what was written is not what the lake holds; nothing is published then.
    """
    now = made_from(tables, names)
    draft = Draft(tables, tuple(names), meta, now, usable_snapshot(tables.root, now))
    if draft.before is not None:
        try:
            return _publish(tables.root, draft)
        except (duckdb.Error, SnapshotUnusableError):
            draft = replace(draft, before=None)
    return _publish(tables.root, draft)


def _publish(root: Root, draft: Draft) -> Publication:
    before = draft.before[0].folder if draft.before else ""
    with root.spool() as folder:
        if draft.before is not None:
            fetch(root, f"{before}/{DATABASE}", folder / DATABASE)
        write_database(folder / DATABASE, draft)
        kept = write_parquet(folder, draft)
        _vouch(folder, draft, kept)
        return Publication(*swap_in(root, folder, kept, before), draft.before is None)


def _vouch(folder: Path, draft: Draft, kept: Sequence[str]) -> None:
    """Writes what the snapshot is made from and how large each of its files is."""
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    if draft.before is not None:
        sizes |= {name: draft.before[1].files[name] for name in kept}
    text = draft.now.model_copy(update={"files": sizes}).model_dump_json()
    (folder / MADE_FROM).write_text(text, encoding="utf-8")
