"""What the lake's tests are made of: a clock, a place, and a source that delivers what a test tells it to."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from connectors.base import Bytes, LandedPage, Page, Parsed, Reject, SourceSettings, Window
from contracts import contract
from pipelines.lake import Lake

everywhere = pytest.mark.parametrize("place", ["folder", "s3"], indirect=True)
NOW = datetime(2026, 11, 1, 3, 0)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Place:
    """Where a lake lies, to open it again."""

    location: str
    options: Mapping[str, str]
    clock: Clock

    def open(self) -> Lake:
        return Lake.open(self.location, self.options, self.clock)

    @property
    def is_local(self) -> bool:
        return "://" not in self.location


def day_window(day: date) -> Window:
    start = datetime(day.year, day.month, day.day)
    return Window(start, start + timedelta(days=1))


@dataclass
class FakeSource:
    """Delivers bills as JSON lines `{"cost": "1.50"}`; a line with `"refuse"` becomes a reject.

    `pages` maps a page's name to its lines. `fail_fetch` and `fail_parse` raise after the first page or chunk.
    """

    kind: ClassVar[str] = "fake"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = SourceSettings
    pages: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    fail_fetch: Exception | None = None
    fail_parse: Exception | None = None
    stated_cost: Decimal | None = None
    stated_rows: int | None = None
    duplicate_count: int = 0
    final: bool = False
    not_covered: tuple[str, ...] = ()
    row_source: str | None = None
    reaches: datetime | None = None
    final_once_settled: bool = False
    trailing_days: int = 0

    def windows(self, settings: SourceSettings, day: date) -> list[Window]:
        return [day_window(day - timedelta(days=back)) for back in range(self.trailing_days, -1, -1)]

    def fetch(self, settings: SourceSettings, window: Window) -> Iterator[Page]:
        for name, lines in self.pages:
            yield Page(name, Bytes("\n".join(json.dumps(line) for line in lines).encode()))
            if self.fail_fetch:
                raise self.fail_fetch
        if self.fail_fetch:
            raise self.fail_fetch

    def parse(self, settings: SourceSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        for index, page in enumerate(pages):
            with page.body.open() as stream:
                lines = [json.loads(line) for line in stream.read().splitlines()]
            rows = [
                charge(self.row_source or settings.name, window.slice_date, page.page_id, number, line["cost"])
                for number, line in enumerate(lines, 1)
                if "refuse" not in line
            ]
            rejects = tuple(
                Reject(
                    page.page_id,
                    number,
                    line["refuse"],
                    "found x, expected y",
                    json.dumps(line),
                    "billed_cost",
                    Decimal(line["cost"]) if line.get("cost") else None,
                    line.get("currency"),
                )
                for number, line in enumerate(lines, 1)
                if "refuse" in line
            )
            first = index == 0
            yield Parsed(
                pa.Table.from_pylist(rows, schema=contract("charges").arrow_schema()),
                rejects,
                duplicate_count=self.duplicate_count if first else 0,
                stated_cost=self.stated_cost if first else None,
                stated_rows=self.stated_rows if first else None,
                is_final=self.final,
                not_covered=self.not_covered,
                reaches=self.reaches,
                is_final_once_settled=self.final_once_settled,
            )
            if self.fail_parse:
                raise self.fail_parse

    def probe(self, settings: SourceSettings) -> str:
        return "fine"


def charge(source: str, day: date, page: str, row: int, cost: str) -> dict[str, Any]:
    """A bill line of one Decimal cost; everything nullable is NULL."""
    blank: dict[str, Any] = dict.fromkeys(contract("charges").arrow_schema().names)
    start = datetime(day.year, day.month, day.day)
    blank |= {
        column.name: "text"
        for column in contract("charges").columns
        if not column.nullable and column.type in ("string", "json")
    }
    return blank | {
        "billing_currency": "USD",
        "billing_period_start": start,
        "billing_period_end": start + timedelta(days=1),
        "charge_period_start": start,
        "charge_period_end": start + timedelta(days=1),
        "charge_category": "Usage",
        "billed_cost": Decimal(cost),
        "effective_cost": Decimal(cost),
        "x_source": source,
        "x_slice_date": day,
        "x_page": page,
        "x_row": row,
    }
