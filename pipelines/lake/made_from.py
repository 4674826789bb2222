"""What a published snapshot was made from, kept in its folder so that the next one rewrites only what changed.

Here belongs: that file, and whether a snapshot may be built upon. Whatever is doubtful may not: then the next one is
built from the lake alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from contracts import contract
from pipelines.lake.errors import LakeError
from pipelines.lake.paths import MADE_FROM
from pipelines.lake.published import Snapshot, current_snapshot
from pipelines.lake.root import Root
from pipelines.lake.snapshot_files import file_sizes
from pipelines.lake.tables import Tables

# The oldest format that DuckDB 2 writes: clients from 1.0 on can open it.
STORAGE_VERSION = "v1.0.0"
_LAYOUT = 1  # of a snapshot's folder; another number makes every lake build its next snapshot from scratch
_DATE_LENGTH = len("2026-10-01")


class MadeFrom(BaseModel):
    """The lake's slices by table as `"<date> <source>": fingerprint`, and the bytes of each file made from them."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    format: str
    slices: dict[str, dict[str, str]]
    files: dict[str, int] = {}

    @model_validator(mode="after")
    def _dated(self) -> Self:
        for slices in self.slices.values():
            for key in slices:
                slice_date(key)
        return self


def slice_date(key: str) -> date:
    """The date of a slice as it is named in the file. Raises ValueError when it has none."""
    return date.fromisoformat(key[:_DATE_LENGTH])


def made_from(tables: Tables, names: Sequence[str]) -> MadeFrom:
    """What a snapshot of these tables is made from if it is made now. Costs a look at metadata."""
    return MadeFrom(format=_format(names), slices={name: _fingerprints(tables, name) for name in names})


def usable_snapshot(root: Root, wanted: MadeFrom) -> tuple[Snapshot, MadeFrom] | None:
    """The current snapshot, if the next can be built upon it: whole, of the same format, and saying what it is."""
    try:
        snapshot = current_snapshot(root)
        with root.open(f"{snapshot.folder}/{MADE_FROM}") as stream:
            found = MadeFrom.model_validate_json(stream.read())
    except (LakeError, FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    sizes = file_sizes(root, snapshot.folder)
    sizes.pop(MADE_FROM, None)
    is_same = found.format == wanted.format and found.slices.keys() == wanted.slices.keys()
    return (snapshot, found) if is_same and sizes == found.files else None


def _fingerprints(tables: Tables, name: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for piece in tables.slices(name):
        found.setdefault(f"{piece.slice_date} {piece.slice_source}", []).append(piece.fingerprint)
    return {key: "+".join(sorted(fingerprints)) for key, fingerprints in found.items()}


def _format(names: Sequence[str]) -> str:
    """Changes with everything a snapshot's files hold beyond rows: columns, types, comments, storage version."""
    contracts: Mapping[str, object] = {name: contract(name).model_dump(mode="json") for name in sorted(names)}
    text = json.dumps([_LAYOUT, STORAGE_VERSION, contracts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
