"""A blob behind a signed link, read part by part: a report of any size passes through little memory.

Here belongs: asking for parts, and noticing that they are not of one blob. Here does not belong: where links come from.
"""

import io
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

from connectors.base import IncompleteDeliveryError
from connectors.deadline import Deadline, begin_delivery
from connectors.http import HttpSession, Limits, Pace

PART_BYTES = 8 * 1024 * 1024
_LIMITS = Limits(answer_bytes=PART_BYTES)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class SignedBlob:
    """The body of a page. The link is a secret. Without a `deadline` each reading has one of its own."""

    name: str
    link: str = field(repr=False)
    byte_count: int | None
    pace: Pace = field(repr=False)
    part_bytes: int = PART_BYTES
    deadline: Deadline | None = field(default=None, repr=False)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The blob's bytes as they are read.

        Reading raises IncompleteDeliveryError when they are not as many as announced, or change underway, and
        SourceError when they do not come.
        """
        stream = _Parts(self, self.deadline or begin_delivery(self.pace.monotonic))
        return cast("AbstractContextManager[BinaryIO]", io.BufferedReader(stream, self.part_bytes))


class _Parts(io.RawIOBase):
    """One part after the other; a part that breaks off is asked for again, and no other."""

    def __init__(self, blob: SignedBlob, deadline: Deadline) -> None:
        self._blob, self._deadline = blob, deadline
        self._part, self._at, self._size = memoryview(b""), 0, blob.byte_count
        self._version: str | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._part and (self._size is None or self._at < self._size):
            self._part = memoryview(self._next_part())
        count = min(len(buffer), len(self._part))
        buffer[:count] = self._part[:count]
        self._part = self._part[count:]
        return count

    def _next_part(self) -> bytes:
        self._deadline.require(self._blob.name)
        link, first = urlsplit(self._blob.link), self._at
        asked = {"Range": f"bytes={first}-{first + self._blob.part_bytes - 1}", "Accept-Encoding": "identity"}
        with HttpSession(headers=asked, limits=_LIMITS, pace=self._blob.pace) as session:
            address = f"{link.scheme}://{link.netloc}{link.path}"
            answer = session.get(address, dict(parse_qsl(link.query, keep_blank_values=True)), expect="any")
        self._deadline.require(self._blob.name)  # a part that took all of the time is late, the last one too
        told = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        end, size = (int(told[2]) + 1, int(told[3])) if told else (len(answer.body), len(answer.body))
        self._require_same(answer.headers.get("etag"), size)
        if (told is not None and int(told[1]) != first) or (told is None and first) or end - first != len(answer.body):
            raise IncompleteDeliveryError(f"{self._blob.name}: another part came than was asked for; run the day again")
        self._at = end
        return answer.body

    def _require_same(self, version: str | None, size: int) -> None:
        """Raises IncompleteDeliveryError for a part of another blob, or of one with another size than announced."""
        if self._size is not None and size != self._size:
            raise IncompleteDeliveryError(
                f"{self._blob.name}: it has {size:,} bytes and {self._size:,} were announced; run the day again"
            )
        if self._version is not None and version != self._version:
            raise IncompleteDeliveryError(f"{self._blob.name}: it changed while it was read; run the day again")
        self._size, self._version = size, version
