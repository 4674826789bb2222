"""Bytes of one object as a stream, whatever hands them out, and the certainty that they are all of them.

Here belongs: chunks, and their count. Here does not belong: where an object lies and how it is asked for.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from obstore.exceptions import BaseError

from connectors.base import IncompleteDeliveryError, SourceError

CHUNK_BYTES = 4 * 1024 * 1024


def file_chunks(file: Path) -> Iterator[bytes]:
    """A local file, piece by piece."""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


class ObjectStream(io.RawIOBase):
    """One GET as a forward-only stream that notices when the object ends too early."""

    def __init__(self, chunks: Iterator[bytes], size: int, explained: Callable[[Exception], SourceError]) -> None:
        self._chunks = chunks
        self._missing = size
        self._explained = explained
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer as far as one chunk goes. Raises SourceError where the object breaks off."""
        while not self._rest:
            chunk = self._next_chunk()
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _next_chunk(self) -> bytes | None:
        try:
            chunk = next(self._chunks, None)
        except (BaseError, OSError, ValueError) as error:
            raise self._explained(error) from None
        if chunk is None:
            if self._missing:
                raise IncompleteDeliveryError(
                    f"the object differs by {abs(self._missing)} bytes from the size announced; run the day again"
                )
            return None
        self._missing -= len(chunk)
        return chunk
