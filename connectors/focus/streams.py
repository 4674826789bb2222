"""Streams that watch what passes through them: how much, whether it is UTF-8, whether it ends as it should."""

import codecs
import gzip
import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from connectors.base import Body
from connectors.packing import require_likely

GARBLED = "\ufdd0"  # a character that Unicode keeps out of all text: stands before the two digits of an odd byte
_ODD_BYTE = re.compile("[\udc80-\udcff]")


class Meter(io.RawIOBase):
    """Passes bytes on, and knows how many there were, how many quotes, and which was the last."""

    def __init__(self, inner: Any, packed: "Meter | None" = None) -> None:
        self._inner = inner
        self._packed = packed
        self.count = 0
        self.quotes = 0
        self.last = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer from the inner stream and counts."""
        chunk: bytes = self._inner.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.count += len(chunk)
        self.quotes += chunk.count(b'"')
        self.last = chunk[-1:] or self.last
        if self._packed:
            require_likely(self.count, self._packed.count)
        return len(chunk)


class Utf8(io.RawIOBase):
    """Passes text on as valid UTF-8: an odd byte becomes `GARBLED` and two digits, and `garbled` tells it."""

    def __init__(self, inner: io.RawIOBase) -> None:
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._rest = b""
        self._ended = False
        self.garbled = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer with valid UTF-8; what does not fit waits for the next call."""
        while not self._rest and not self._ended:
            chunk = self._inner.read(len(buffer)) or b""
            self._ended = not chunk
            self._rest = self._valid(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _valid(self, chunk: bytes) -> bytes:
        text = self._decoder.decode(chunk, final=not chunk)
        try:
            return text.encode()
        except UnicodeEncodeError:
            self.garbled = True
            return _ODD_BYTE.sub(lambda odd: f"{GARBLED}{ord(odd[0]) - 0xDC00:02x}", text).encode()


@contextmanager
def metered(body: Body, *, compressed: bool) -> Generator[Meter]:
    """The body's bytes, unpacked. Raises EOFError, on reading, for an archive that no bill can be."""
    with body.open() as stream:
        if not compressed:
            yield Meter(stream)
            return
        packed = Meter(stream)
        with gzip.GzipFile(fileobj=cast("BinaryIO", io.BufferedReader(packed, 1 << 16))) as unpacked:
            yield Meter(unpacked, packed)
