"""The journal of deliveries: every attempt at every slice, what came and what became of it."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from connectors.base import LandedPage, SourceSettings, Window
from contracts import contract
from pipelines.lake.tables import Tables

DELIVERIES = "deliveries"
WITHDRAWN = "withdrawn"
SERVED = ("committed", "empty", WITHDRAWN)  # outcomes that put a slice in place
DELIVERED = ("committed", "empty", "unchanged")  # outcomes after which the slice is what the source says
# outcomes that did not, worst first
IN_TROUBLE = ("failed", "incomplete", "suspicious_empty", "suspicious_shrink", "suspicious_growth")


@dataclass(frozen=True)
class Delivery:
    """One attempt, field by field as in the contract of `deliveries`."""

    attempt_id: str
    run_id: str
    x_source: str
    x_account: str
    fact: str
    slice_date: date
    window_start: datetime
    window_end: datetime
    attempted_at: datetime
    status: str = "failed"
    delivery_id: str | None = None
    page_count: int = 0
    byte_count: int = 0
    row_count: int = 0
    reject_count: int = 0
    duplicate_count: int = 0
    total_cost: Decimal | None = None
    rejected_cost: Decimal | None = None
    previous_total_cost: Decimal | None = None
    total_effective_cost: Decimal | None = None
    previous_total_effective_cost: Decimal | None = None
    stated_cost: Decimal | None = None
    message: str | None = None
    is_final: bool = False
    not_covered: str | None = None
    currency: str | None = None
    repeated: str | None = None
    lines_changed: bool | None = None
    previous_row_count: int | None = None
    total_tokens: int | None = None
    previous_total_tokens: int | None = None


class Journal:
    """The deliveries as one writer sees them: read once, then kept in step with what it appends itself."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._counts: Counter[tuple[str, date]] = Counter()
        self._served: dict[tuple[str, date], Delivery] = {}
        self._delivered_at: dict[tuple[str, date], datetime] = {}
        for row in tables.read(DELIVERIES).to_pylist():
            self._note(Delivery(**row))

    def append(self, delivery: Delivery) -> None:
        """Records an attempt."""
        row = pa.Table.from_pylist([asdict(delivery)], schema=contract(DELIVERIES).arrow_schema())
        self._tables.append(DELIVERIES, row)
        self._note(delivery)

    def count(self, source: str, slice_date: date) -> int:
        """How many attempts were made at a slice."""
        return self._counts[source, slice_date]

    def served(self, source: str, slice_date: date) -> Delivery | None:
        """The attempt that put the slice in place that is there now; None when none ever did."""
        return self._served.get((source, slice_date))

    def delivered_at(self, source: str, slice_date: date) -> datetime | None:
        """When the slice that is there was last taken in or confirmed; None when it never was, or was withdrawn."""
        return self._delivered_at.get((source, slice_date))

    def in_place(self) -> list[Delivery]:
        """The attempts that put in place what is there now, of every source and slice."""
        return list(self._served.values())

    def asked(self, source: str) -> dict[date, datetime | None]:
        """Every slice that the source was ever asked for, and when what is there was last taken in or confirmed."""
        return {day: self._delivered_at.get((name, day)) for name, day in self._counts if name == source}

    def _note(self, delivery: Delivery) -> None:
        key = (delivery.x_source, delivery.slice_date)
        self._counts[key] += 1
        if delivery.status in SERVED:
            self._served[key] = delivery
        if delivery.status == WITHDRAWN:
            self._delivered_at.pop(key, None)
        if delivery.status in DELIVERED:
            self._delivered_at[key] = max(delivery.attempted_at, self._delivered_at.get(key, delivery.attempted_at))


def delivery_id(settings: SourceSettings, fact: str, pages: Sequence[LandedPage]) -> str:
    """What a delivery is, whatever its pages are called and in whatever order they came: a SHA-256 in hexadecimal.

    A page that came again is given again: with a copy beside it a delivery is another one, and says so.

    Settings and the fact's columns are part of it, because the same bytes read under other settings or another contract
    are other rows. How the object store is reached is not, and secrets are masked: a new key delivers nothing new.
    """
    columns = [(column.name, column.type) for column in contract(fact).columns]
    identity = {
        "settings": settings.model_dump(mode="json", exclude={"storage"}),
        "columns": columns,
        "pages": sorted(page.digest for page in pages),
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()


def attempt(
    settings: SourceSettings, fact: str, window: Window, run_id: str, attempted_at: datetime, ordinal: int
) -> Delivery:
    """An attempt that has not delivered anything yet."""
    return begun(settings.name, settings.account, fact, window, run_id, attempted_at, ordinal)


def begun(
    source: str, account: str, fact: str, window: Window, run_id: str, attempted_at: datetime, ordinal: int
) -> Delivery:
    """An attempt at a slice of a source.

    `ordinal` counts the attempts at the slice before it, so that a
    later attempt has the greater id, whatever the clock says.
    """
    identity = f"{run_id}\n{source}\n{account}\n{window.start}\n{window.end}\n{ordinal}"
    return Delivery(
        attempt_id=f"{ordinal:06d}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        run_id=run_id,
        x_source=source,
        x_account=account,
        fact=fact,
        slice_date=window.slice_date,
        window_start=window.start,
        window_end=window.end,
        attempted_at=attempted_at,
    )
