"""Rows and refusals of one delivery, gathered from JSON pages and given out in bounded chunks.

Here belongs: the Arrow table, the rejects, what repeats between pages, the fields that are new. Here does not belong:
what a row means.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from connectors.base import (
    CHUNK_ROWS,
    Body,
    IncompleteDeliveryError,
    Page,
    Parsed,
    Reject,
    SourceError,
    SourceSettings,
    Window,
)
from connectors.exact import exact_json, json_text
from connectors.fields import RowError, printable
from contracts import contract

MOST_REMARKS = 20
MOST_BYTES = 256 * 1024 * 1024  # what a session takes as one answer; a saved one may not be larger either


@dataclass(frozen=True)
class StagedRow:
    """A row as the contract wants it. `identity` is what tells it from every other row of the report.

    `new_fields` are those that the contract does not know; `told` are words for people, counted over the delivery.
    """

    row: dict[str, Any]
    identity: object
    new_fields: Iterable[str] = ()
    told: Sequence[str] = ()


@dataclass
class Gathered:
    """One delivery as far as it was read."""

    fact: str
    settings: SourceSettings
    window: Window
    new_fields: set[str] = field(default_factory=set[str])
    told: Counter[str] = field(default_factory=Counter[str])
    _rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _rejects: list[Reject] = field(default_factory=list[Reject])
    _duplicate_count: int = 0
    _seen: dict[bytes, tuple[str, bytes]] = field(default_factory=dict[bytes, tuple[str, bytes]])

    def take(self, page_id: str, number: int, found: object, stage: Callable[[], StagedRow], where: str) -> bool:
        """Stages a row of a page, or refuses it with what it says; False when another page held it already.

        Args:
            page_id: The page that holds it.
            number: Its number in the page, from 1.
            found: The row as it came.
            stage: Gives the row; columns that it leaves out are NULL. Raises RowError for what cannot be staged.
            where: The page's name, for messages.

        Raises IncompleteDeliveryError when another page contradicts it.
        """
        try:
            staged = stage()
        except RowError as error:
            self._refuse(page_id, number, error, found)
            return True
        if self._is_repeated(page_id, staged.identity, found, where):
            return False
        self.new_fields.update(staged.new_fields)
        self.told.update(staged.told)
        self._rows.append({**staged.row, "x_page": page_id, "x_row": number})
        return True

    @property
    def is_full(self) -> bool:
        """Whether a chunk is due."""
        return len(self._rows) + len(self._rejects) >= CHUNK_ROWS

    def chunk(self, notices: Iterable[str] = (), not_covered: Iterable[str] = ()) -> Parsed:
        """What came since the last chunk; both texts are as in `Parsed`."""
        for row in self._rows:
            row["x_source"], row["x_slice_date"] = self.settings.name, self.window.slice_date
        parsed = Parsed(
            rows=pa.Table.from_pylist(self._rows, schema=contract(self.fact).arrow_schema()),
            rejects=tuple(self._rejects),
            duplicate_count=self._duplicate_count,
            notices=tuple(notices),
            not_covered=tuple(not_covered),
        )
        self._rows, self._rejects, self._duplicate_count = [], [], 0
        return parsed

    def notices(self) -> list[str]:
        """What people should know of the whole delivery: new fields, and each of `told` with how often it was."""
        told = sorted(self.told.items(), key=lambda item: (-item[1], item[0]))
        found = [f"{times:,} {words}" for words, times in told[:MOST_REMARKS]]
        if len(told) > MOST_REMARKS:
            found.append(f"{len(told) - MOST_REMARKS:,} more remarks of these kinds")
        if self.new_fields:
            found.append(f"fields that are new, kept in x_extra: {', '.join(sorted(self.new_fields))}")
        return found

    def _refuse(self, page_id: str, number: int, error: RowError, found: object) -> None:
        payload = json_text(found).encode("utf-8", "replace").decode()
        self._rejects.append(
            Reject(
                page_id,
                number,
                error.reason,
                printable_line(error.detail),
                payload,
                error.column,
                error.cost,
                error.currency,
            )
        )

    def _is_repeated(self, page_id: str, identity: object, found: object, where: str) -> bool:
        """Whether another page of the delivery holds this very row; it is counted, and not staged again.

        Rows of one page are never compared: the source itself tells them apart.

        Raises IncompleteDeliveryError when the other page says something else of the same: both cannot be true.
        """
        key, said = _digest(identity), _digest(found)
        page, before = self._seen.setdefault(key, (page_id, said))
        if page == page_id:
            return False
        if before != said:
            raise IncompleteDeliveryError(
                f"{where}: two pages report the same with different numbers. Answers of two downloads lie together, or "
                "the report changed while it was read: fetch the window again, whole."
            )
        self._duplicate_count += 1
        return True


def read_document(body: Body, name: str) -> Any:
    """A page as JSON, numbers exact.

    Raises IncompleteDeliveryError when it is cut off or no JSON, SourceError when it is larger than any answer.
    """
    try:
        return exact_json(read_bytes(body, name))
    except ValueError as error:
        raise IncompleteDeliveryError(
            f"{name}: the page ends too early or is no JSON ({error}). Nothing was committed; fetch it again."
        ) from None


def read_bytes(body: Body, name: str) -> bytes:
    """A page's bytes. Raises SourceError when they are more than any answer has."""
    with body.open() as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SourceError(f"{name}: more than {MOST_BYTES:,} bytes are no page of a report. Save smaller pages.")
    return content


def without_repeated_nothing(pages: Iterable[Page], is_empty: Callable[[Page], bool]) -> Iterator[Page]:
    """The pages. Of those without rows that are the same to the letter, one: it says as much as all of them."""
    told: set[bytes] = set()
    for page in pages:
        if is_empty(page):
            with page.body.open() as stream:
                digest = hashlib.sha256(stream.read()).digest()
            if digest in told:
                continue
            told.add(digest)
        yield page


def extra_json(found: dict[str, Any]) -> str | None:
    """Fields for `x_extra`, without the ones that say nothing; None where nothing is left."""
    kept = {printable(name): value for name, value in found.items() if value is not None}
    return json_text(kept).encode("utf-8", "replace").decode() if kept else None


def printable_line(words: str) -> str:
    """A message on one line, without signs that would disturb a log."""
    return "".join(sign if sign.isprintable() else " " for sign in words)


def _digest(found: object) -> bytes:
    return hashlib.blake2b(json_text(found).encode("utf-8", "replace"), digest_size=16).digest()
