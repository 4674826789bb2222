"""The lines of one file of a spool, plain or gzip, bounded in length and number.

Here belongs: what is a whole line. Here does not belong: what it says.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from isal import igzip, igzip_lib

from connectors.base import IncompleteDeliveryError, LandedPage

LONGEST_LINE_BYTES = 1 << 20
MOST_BYTES = 4 << 30  # after decompression; a node's hour has a few MiB
_BLOCK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_DamagedError = cast("type[Exception]", igzip_lib.IsalError)  # whose stub takes the class for an instance


class Line(NamedTuple):
    """A line and its number, from 1. A torn one is the end of a file that was still written, or never finished."""

    number: int
    content: bytes
    is_torn: bool

    @property
    def text(self) -> str:
        """The line for people."""
        return self.content.decode("utf-8", "replace").rstrip("\n")


def read_lines(page: LandedPage) -> Iterator[Line]:
    """Every line of the page that says something.

    A plain file may end in the middle of a line: its node writes on, or fell. A packed one was whole.

    Raises IncompleteDeliveryError where a packed file is not whole, or a file is no spool.
    """
    with page.body.open() as raw:
        buffered = io.BufferedReader(cast("io.RawIOBase", raw), _BLOCK_BYTES)
        is_packed = buffered.peek(2)[:2] == _GZIP
        stream = cast("BinaryIO", igzip.IGzipFile(fileobj=buffered)) if is_packed else buffered
        try:
            yield from _split(io.BufferedReader(cast("io.RawIOBase", stream), _BLOCK_BYTES), page.name, is_packed)
        except (EOFError, _DamagedError, igzip.BadGzipFile) as error:
            raise _incomplete(page.name, f"the packed file is cut off or damaged ({error})") from None


def _split(stream: BinaryIO, name: str, is_packed: bool) -> Iterator[Line]:
    number, total = 0, 0
    while content := stream.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        total += len(content)
        if len(content) > LONGEST_LINE_BYTES or total > MOST_BYTES:
            raise _incomplete(
                name,
                f"a line of more than {LONGEST_LINE_BYTES:,} bytes, or more than {MOST_BYTES:,} in all, is no spool",
            )
        is_torn = not content.endswith(b"\n")
        if is_torn and is_packed:
            raise _incomplete(name, f"line {number} ends in the middle")
        if not content.isspace():
            yield Line(number, content, is_torn)


def _incomplete(name: str, what: str) -> IncompleteDeliveryError:
    return IncompleteDeliveryError(f"{name}: {what}. Copy the file from its node again, whole.")
