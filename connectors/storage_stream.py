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
    """One GET as a stream that notices when the object ends too early; whoever leaves its order reads range by range.

    `range_of` gives the bytes from one place up to another: formats that are read from their end need no copy.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        size: int,
        explained: Callable[[Exception], SourceError],
        range_of: Callable[[int, int], bytes],
    ) -> None:
        self._chunks: Iterator[bytes] | None = chunks
        self._size = self._missing = size
        self._explained = explained
        self._range_of = range_of
        self._rest = memoryview(b"")
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Goes to another place, and ends the one GET where that is not the next byte."""
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if place < 0:
            raise ValueError(f"place {place} is before the beginning")
        if place != self._at:
            self._at, self._chunks, self._rest = place, None, memoryview(b"")
        return place

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer as far as one chunk goes. Raises SourceError where the object breaks off."""
        if self._chunks is None:
            self._rest = memoryview(self._read_range(len(buffer)))
        while self._chunks is not None and not self._rest:
            chunk = self._next_chunk(self._chunks)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._at += count
        return count

    def _read_range(self, most: int) -> bytes:
        end = min(self._at + most, self._size)
        if end <= self._at:
            return b""
        try:
            found = self._range_of(self._at, end)
        except (BaseError, OSError, ValueError) as error:
            raise self._explained(error) from None
        if len(found) != end - self._at:
            raise IncompleteDeliveryError(
                f"{end - self._at} bytes of the object were asked for and {len(found)} came; run the day again"
            )
        return found

    def _next_chunk(self, chunks: Iterator[bytes]) -> bytes | None:
        try:
            chunk = next(chunks, None)
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
