"""Nights over a log, over one whose files lie in a folder of the test's own, and secrets planted in its rows."""

import copy
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from connectors.base import LandedPage, Parsed

DAY = date(2026, 11, 21)
KEY = "a key of the tests' own"
NO_COUNTS = (10**30, -(10**30), 2**63 - 1, 1e308, -1, 0.5, True, "twelve", [12], {"count": 12})
"""What may stand in a number's place by mistake: such a row is refused or keeps what else it says; no night ends."""


def whole(chunks: Iterable[Parsed]) -> Parsed:
    """A delivery's chunks put together."""
    given = list(chunks)
    return Parsed(
        rows=pa.concat_tables([chunk.rows for chunk in given]),
        rejects=tuple(reject for chunk in given for reject in chunk.rejects),
        duplicate_count=sum(chunk.duplicate_count for chunk in given),
        notices=tuple(notice for chunk in given for notice in chunk.notices),
    )


class LogNights:
    """What a source makes of the days of a log. `given` are its settings beside name, kind and the key of hashes."""

    def __init__(self, source: Any, given: Mapping[str, Any] = {}) -> None:
        self.source = source
        self.given = given

    def settings(self, **over: Any) -> Any:
        defaults = {"name": "log", "kind": self.source.kind, "hash_key": KEY}
        return self.source.settings_model.model_validate({**defaults, **self.given, **over})

    def landed(self, day: date = DAY, **over: Any) -> list[LandedPage]:
        settings = self.settings(**over)
        window = self.source.windows(settings, day)[-1]
        pages = []
        for page in self.source.fetch(settings, window):
            with page.body.open() as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            pages.append(LandedPage(page.name, digest, page.body))
        return pages

    def landed_bytes(self, day: date = DAY, **over: Any) -> bytes:
        """Everything that reaches disk for a day."""
        return b"".join(page.body.open().__enter__().read() for page in self.landed(day, **over))

    def night(self, day: date = DAY, **over: Any) -> Parsed:
        """The whole delivery of a day."""
        settings = self.settings(**over)
        window = self.source.windows(settings, day)[-1]
        return whole(self.source.parse(settings, window, self.landed(day, **over)))

    def rows(self, day: date = DAY, **over: Any) -> list[dict[str, Any]]:
        """The rows of a day that has nothing to refuse."""
        night = self.night(day, **over)
        assert night.rejects == ()
        return night.rows.to_pylist()


class LogFolder(LogNights):
    """Files below a folder, and what a source of stored logs makes of them."""

    def __init__(self, folder: Path, source: Any, given: Mapping[str, Any] = {}) -> None:
        super().__init__(source, {"location": str(folder), **given})
        self.folder = folder

    def file(self, path: str, rows: Sequence[Any]) -> None:
        """Writes rows as JSON lines, gzipped where the name says so."""
        self.raw(path, b"".join(json.dumps(row).encode() + b"\n" for row in rows))

    def raw(self, path: str, content: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every object, list and value in a row."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def planted(row: dict[str, Any], path: tuple[Any, ...], secret: Any, name: str) -> dict[str, Any]:
    """The row with the secret put beside what is at `path` (in an object or list) or in its place (a value)."""
    changed = copy.deepcopy(row)
    holder: Any = changed
    parent: Any = None
    for step in path:
        parent, holder = holder, holder[step]
    if isinstance(holder, dict):
        holder[name] = secret
    elif isinstance(holder, list):
        holder.append({name: secret})
    else:
        parent[path[-1]] = secret
    return changed
