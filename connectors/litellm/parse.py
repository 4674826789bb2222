"""Landed pages become rows of `gateway_requests`, refused rows, and a count of repeated deliveries.

Pure: the same pages give the same rows, in whatever order they come.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b

import orjson
import pyarrow as pa

from connectors.base import IncompleteDeliveryError, LandedPage, Parsed, Reject, Window
from connectors.litellm.allow_list import known_fields
from connectors.logs.instants import instant_of
from connectors.litellm.settings import LiteLlmSettings
from connectors.litellm.staged import Row, RowError, is_essential, reported_cost, staged_row, unreadable_values
from connectors.logs.values import WITHHELD
from contracts import contract

ROWS_PER_CHUNK = 10_000
_WITHHELD = WITHHELD.encode()


def parse_pages(settings: LiteLlmSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
    """Chunks of at most `ROWS_PER_CHUNK` rows; see `Source.parse`.

    Raises IncompleteDeliveryError for a page that ends in the middle of a row.
    """
    delivery = _Delivery(settings, window, known_fields(settings))
    for page in sorted(pages, key=lambda landed: landed.digest):
        for number, line in _lines(page):
            delivery.add(page.page_id, number, line)
            if len(delivery.rows) + len(delivery.rejects) >= ROWS_PER_CHUNK:
                yield delivery.chunk()
    yield delivery.chunk(delivery.notices())


def _lines(page: LandedPage) -> Iterator[tuple[int, bytes]]:
    with page.body.open() as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                raise IncompleteDeliveryError(
                    f"page {page.name} ends in the middle of row {number}; fetch the day again"
                )
            yield number, line


@dataclass
class _Delivery:
    """What has been read of a delivery so far: one chunk's rows, and the identities of all of it."""

    settings: LiteLlmSettings
    window: Window
    known: frozenset[str]
    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    duplicate_count: int = 0
    seen: set[bytes] = field(default_factory=set)
    ids: set[bytes] = field(default_factory=set)
    reused: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def add(self, page_id: str, number: int, line: bytes) -> None:
        """Takes one landed line in."""
        record: Row = {}
        cost: Decimal | None = None
        values: list[RowError] = []
        try:
            record = _record(line)
            values = _take_out_withheld(record) if _WITHHELD in line else []
            cost = reported_cost(record, values)
            row = staged_row(record, self.settings, self._unknown(record), cost)
            _require_inside(row["started_at"], self.window)
        except RowError as refusal:
            self.rejects.append(_reject(page_id, number, line, refusal, cost))
            return
        if self._is_repeated(row):
            self.duplicate_count += 1
            return
        row["x_page"], row["x_row"] = page_id, number
        self.rows.append(row)
        self.rejects += [_reject(page_id, number, line, refusal, None) for refusal in values]

    def chunk(self, notices: tuple[str, ...] = ()) -> Parsed:
        """What has come since the last chunk."""
        for row in self.rows:
            row["x_source"], row["x_slice_date"] = self.settings.name, self.window.slice_date
        parsed = Parsed(
            rows=pa.Table.from_pylist(self.rows, schema=contract("gateway_requests").arrow_schema()),
            rejects=tuple(self.rejects),
            duplicate_count=self.duplicate_count,
            notices=notices,
        )
        self.rows, self.rejects, self.duplicate_count = [], [], 0
        return parsed

    def notices(self) -> tuple[str, ...]:
        """What people should know of the whole delivery."""
        found = [f"field {name} is not known; it is kept in x_extra" for name in sorted(self.unknown)]
        if self.reused:
            found.append(
                f"{len(self.reused)} attempts carry an id that another attempt of the day has too, such as "
                f"{min(self.reused)}; all of them are counted"
            )
        return tuple(found)

    def _unknown(self, record: Row) -> Row:
        if self.known.issuperset(record):
            return {}
        names = record.keys() - self.known
        self.unknown |= names
        return {name: record[name] for name in names}

    def _is_repeated(self, row: Row) -> bool:
        identity, request = _digest(row["dedup_key"]), _digest(row["request_id"])
        if identity in self.seen:
            return True
        if request in self.ids:
            self.reused.append(row["request_id"])
        self.seen.add(identity)
        self.ids.add(request)
        return False


def _record(line: bytes) -> Row:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RowError("not_json", f"the landed row is no JSON ({error})") from None
    if not isinstance(record, dict):
        raise RowError("not_an_object", "the landed row is no JSON object")
    mark = record.get("unreadable")
    if isinstance(mark, dict):
        raise RowError(
            str(mark.get("reason")),
            f"line {mark.get('line')} of {mark.get('file')} ({mark.get('bytes')} bytes) could not be read as a logged "
            "attempt; nothing of it is kept, look at the file itself",
        )
    return record


def _take_out_withheld(record: Row) -> list[RowError]:
    """Removes values that were withheld at landing, one refusal each; an essential one refuses the row."""
    found: list[RowError] = []
    for path in list(unreadable_values(record)):
        refusal = RowError("unreadable_value", f"{path} held another kind of value than it should", path)
        if is_essential(path):
            raise refusal
        *places, name = path.split(".")
        inner: Row = record
        for place in places:
            inner = inner[place]
        del inner[name]
        found.append(refusal)
    return found


def _require_inside(started_us: int, window: Window) -> None:
    if not instant_of(window.start) <= started_us < instant_of(window.end):
        raise RowError(
            "outside_window",
            "the attempt started on another day than the one it is filed under, further away than the settings "
            "folders_before and folders_after reach; raise them and fetch that day again",
            "started_at",
        )


def _reject(page_id: str, number: int, line: bytes, refusal: RowError, cost: Decimal | None) -> Reject:
    payload = line.decode("utf-8", "replace").rstrip("\n")
    return Reject(page_id, number, refusal.reason, refusal.detail, payload, refusal.column, cost)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=12).digest()
