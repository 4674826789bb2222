"""Landed pages become rows of `gateway_requests`, refused rows, and a count of repeated deliveries.

Pure: the same pages give the same rows, in whatever order they come.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import polars as pl
import pyarrow as pa

from connectors.base import LandedPage, Parsed, Reject, Window
from connectors.logs.attempt import Attempt, NoAttemptError, Record, RowError, staged_row, usd
from connectors.logs.buckets import UsageError
from connectors.logs.columns import Columns, plain_rows, table_of
from connectors.logs.instants import instant_of
from connectors.logs.landed import lines_of, record_of, reject_of
from connectors.logs.noticed import Noticed
from connectors.logs.settings import LogSettings
from connectors.logs.values import WITHHELD
from connectors.logs.withheld import take_out_withheld
from connectors.logs.wording import in_own_words
from contracts import contract

ROWS_PER_CHUNK = 10_000
ROWS_APART = 1_000_000
"""By how much the numbers of rows differ that one record gives: no page has as many."""
_WITHHELD = WITHHELD.encode()


@dataclass(frozen=True)
class Reading:
    """How the landed records of one log are read.

    `read` makes an Attempt of a record; it may raise RowError and UsageError, and NoAttemptError for a record that is
    not counted. `cost` is what the record says that it cost in USD. `known` are the fields of the allow-list; others
    are kept in `x_extra` and told. A record means nothing without the fields (dotted paths) in `essential` and those
    that count tokens. `remedy` is what to do about attempts that belong to no window that was read. `columns` reads the
    plain records of a page at once, to the same rows. `expected` are fields of a mapping that some record of a delivery
    should have, with the path of each: where none has one, people are told. `paths` are the log's own paths of all
    fields that a mapping has renamed, for words about them, and `forms` what was expected there, with the remedy.
    """

    read: Callable[[Record], Attempt]
    cost: Callable[[Record], str | Decimal | None]
    known: frozenset[str]
    essential: frozenset[str]
    remedy: str
    columns: Columns | None = None
    expected: Mapping[str, str] = field(default_factory=dict[str, str])
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    forms: Mapping[str, str] = field(default_factory=dict[str, str])


def parse_log(settings: LogSettings, window: Window, pages: Iterable[LandedPage], reading: Reading) -> Iterator[Parsed]:
    """Chunks of at most `ROWS_PER_CHUNK` rows; see `Source.parse`.

    Raises IncompleteDeliveryError for a page that ends in the middle of a row.
    """
    delivery = _Delivery(settings, window, reading)
    # a model that the settings tell is looked up for each record
    columns = None if settings.deployed_models else reading.columns
    for page, plain in _read_ahead(sorted(pages, key=lambda landed: landed.digest), window, columns):
        if plain is not None:
            yield from delivery.page_with(plain, page)
            continue
        for number, line in lines_of(page):
            delivery.add(page.page_id, number, line)
            if len(delivery.rows) + len(delivery.rejects) >= ROWS_PER_CHUNK:
                yield delivery.chunk()
    yield delivery.chunk(delivery.noticed.told())


def _read_ahead(
    pages: Iterable[LandedPage], window: Window, columns: Columns | None
) -> Iterator[tuple[LandedPage, pl.DataFrame | None]]:
    """Each page with its plain rows, which are computed while those of the page before are looked at."""
    waiting: deque[tuple[LandedPage, Future[pl.DataFrame | None]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for page in pages:
            waiting.append((page, pool.submit(_plain_rows, page, window, columns)))
            if len(waiting) > 1:
                first, found = waiting.popleft()
                yield first, found.result()
        for page, found in waiting:
            yield page, found.result()


def _plain_rows(page: LandedPage, window: Window, columns: Columns | None) -> pl.DataFrame | None:
    if columns is None:
        return None
    with page.body.open() as stream:
        return plain_rows(stream.read(), columns, window)


@dataclass
class _Delivery:
    """What has been read of a delivery so far: one chunk's rows, and the identities of all of it."""

    settings: LogSettings
    window: Window
    reading: Reading
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rejects: list[Reject] = field(default_factory=list[Reject])
    duplicate_count: int = 0
    seen: set[bytes] = field(default_factory=set[bytes])
    ids: set[bytes] = field(default_factory=set[bytes])
    noticed: Noticed = field(init=False)

    def __post_init__(self) -> None:
        self.noticed = Noticed(self.reading.expected)

    def page_with(self, plain: pl.DataFrame, page: LandedPage) -> Iterator[Parsed]:
        """A page of which some rows are known already, as a chunk of its own: the rows that it gives line by line."""
        if self.rows or self.rejects:
            yield self.chunk()
        identities = dict(zip(plain["x_row"], zip(plain["dedup_key"], plain["request_id"], strict=True), strict=True))
        repeated: list[int] = []
        of_used_id: list[int] = []
        for number, line in lines_of(page):
            if (identity := identities.get(number)) is None:
                self.add(page.page_id, number, line)
                continue
            dedup_key, request_id = identity
            if self._is_repeated(dedup_key):
                repeated.append(number)
                self.noticed.repeat(request_id)
            elif self._is_used(request_id):
                of_used_id.append(number)
        self.duplicate_count += len(repeated)
        placed = {"x_source": self.settings.name, "x_slice_date": self.window.slice_date, "x_page": page.page_id}
        rows = plain.filter(~pl.col("x_row").is_in(repeated)).with_columns(
            is_id_used_before=pl.col("x_row").is_in(of_used_id)
        )
        if "is_convention_assumed" in rows.columns:
            self.noticed.assumed_count += int(rows["is_convention_assumed"].sum())
        others = self.chunk()
        found = table_of(rows.with_columns(**{name: pl.lit(value) for name, value in placed.items()}))
        whole = pa.concat_tables([found, others.rows]).sort_by("x_row") if others.rows.num_rows else found
        yield replace(others, rows=whole)

    def add(self, page_id: str, number: int, line: bytes) -> None:
        """Takes one landed line in."""
        cost: Decimal | None = None
        values: list[RowError] = []
        try:
            record = record_of(line)
            self.noticed.look_at(record)
            values = self._withheld(record) if _WITHHELD in line else []
            cost = usd(self.reading.cost(record), values, "source_reported_cost_usd")
            rows = self._rows(record, cost, values)
        except NoAttemptError as found:
            self.duplicate_count += found.is_repeated
            return
        except (RowError, UsageError) as refusal:
            self.rejects.append(reject_of(page_id, number, line, in_own_words(refusal, self.reading.paths), cost))
            return
        if self._is_repeated(rows[0]["dedup_key"]):
            self.duplicate_count += 1
            self.noticed.repeat(rows[0]["request_id"])
            return
        for part, row in enumerate(rows):
            row["x_page"], row["x_row"] = page_id, number + part * ROWS_APART
            row["is_id_used_before"] = self._is_used(row["request_id"])
            self.noticed.sum_count += row["is_sum"] is True
            self.noticed.assumed_count += row["is_convention_assumed"] is True
        self.rows += rows
        told = [in_own_words(refusal, self.reading.paths) for refusal in values]
        self.rejects += [reject_of(page_id, number, line, refusal, None) for refusal in told]

    def _withheld(self, record: dict[str, Any]) -> list[RowError]:
        return take_out_withheld(record, self.reading.essential, self.reading.forms)

    def _rows(self, record: Record, cost: Decimal | None, values: list[RowError]) -> list[dict[str, Any]]:
        """The attempt of a record, and after it the further ones that it tells."""
        found = self.reading.read(record)
        if model := self.settings.model_at(found.deployment_id, found.api_base):
            found = found._replace(billed_model=model)
        if unknown := record.keys() - self.reading.known:
            self.noticed.unknown |= unknown
            found = found._replace(extra={**found.extra, **{name: record[name] for name in unknown}})
        row = staged_row(found, cost, values)
        if not instant_of(self.window.start) <= row["started_at"] < instant_of(self.window.end):
            raise RowError(
                "outside_window",
                f"the attempt started on another day than the one that was read; {self.reading.remedy}",
                "started_at",
            )
        return [row, *(staged_row(further, None, values) for further in found.further)]

    def chunk(self, notices: tuple[str, ...] = ()) -> Parsed:
        """What has come since the last chunk."""
        for row in self.rows:
            row["x_source"], row["x_slice_date"] = self.settings.name, self.window.slice_date
            row["gateway"] = row["gateway"] or self.settings.kind
        parsed = Parsed(
            rows=_table(self.rows),
            rejects=tuple(self.rejects),
            duplicate_count=self.duplicate_count,
            notices=notices,
        )
        self.rows, self.rejects, self.duplicate_count = [], [], 0
        return parsed

    def _is_repeated(self, dedup_key: str) -> bool:
        identity = _digest(dedup_key)
        if identity in self.seen:
            return True
        self.seen.add(identity)
        return False

    def _is_used(self, request_id: str) -> bool:
        request = _digest(request_id)
        if request in self.ids:
            self.noticed.reused.append(request_id)
            return True
        self.ids.add(request)
        return False


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    """The rows in the contract's schema. Column by column: Arrow takes three times as long over rows."""
    schema = contract("gateway_requests").arrow_schema()
    return pa.Table.from_arrays(
        [pa.array([row.get(column.name) for row in rows], column.type) for column in schema], schema=schema
    )


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=12).digest()
