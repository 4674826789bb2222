"""Landing: what a source delivered, as received, under the hash of its content. Written once, never changed."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors.base import LandedPage, Page, SourceSettings, Window
from pipelines.lake.blame import blamed
from pipelines.lake.paths import landed_page
from pipelines.lake.root import Root

CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Repeat:
    """A page that came again under the name `name`, byte for byte the one that had landed before it."""

    name: str
    landed: LandedPage


@dataclass(frozen=True)
class Landed:
    """The pages of one delivery, each content once, in the order they came. `repeated` are those that came again."""

    pages: tuple[LandedPage, ...]
    byte_count: int
    repeated: tuple[Repeat, ...]


@dataclass(frozen=True)
class LandedBody:
    """A landed page's bytes."""

    root: Root
    relative: str

    def open(self) -> AbstractContextManager[BinaryIO]:
        """A fresh stream from the first byte."""
        return self.root.open(self.relative)


def land(root: Root, settings: SourceSettings, window: Window, pages: Iterable[Page]) -> Landed:
    """Lands every page before any is parsed. What landed stays, also when a later page fails.

    Raises SourceError when the source fails while its bytes are read.
    """
    landed: dict[str, LandedPage] = {}
    repeated: list[Repeat] = []
    byte_count = 0
    with root.spool() as folder:
        for page in pages:
            file = folder / "page"
            digest, size = _spooled(settings, page, file)
            if digest in landed:
                repeated.append(Repeat(page.name, landed[digest]))
                continue
            relative = landed_page(settings.name, settings.account, window, digest)
            if not root.exists(relative):
                root.adopt(file, relative)
            landed[digest] = LandedPage(page.name, digest, LandedBody(root, relative))
            byte_count += size
    return Landed(tuple(landed.values()), byte_count, tuple(repeated))


def _spooled(settings: SourceSettings, page: Page, file: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    with file.open("wb") as sink:
        for chunk in blamed(settings, f"reading {page.name!r}", lambda: _chunks(page)):
            digest.update(chunk)
            sink.write(chunk)
        return digest.hexdigest(), sink.tell()


def _chunks(page: Page) -> Iterator[bytes]:
    with page.body.open() as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
