"""A snapshot that an earlier version published is reported as it is, and what it lacks is named, not left out."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from contracts import contract
from pipelines.house import open_house
from pipelines.lake import NotPublishedError
from pipelines.night.given_customers import customers_of
from pipelines.night.snapshot import period_view
from pipelines.night.statements import render_period
from reports.given import CUSTOMERS
from tests.pipelines.conftest import night
from tests.pipelines.small_company import DAY, write_company
from tests.sql.golden import filled

OCTOBER = date(2026, 10, 1)
LATER = (
    "bill_errata",
    "budget_status",
    "gpu_unjoined",
    "gpu_waste",
    "host_matches",
    "reconciliation_by_cause",
    "reconciliation_summary",
    "restatements",
    "unit_costs",
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A company after a night whose version had none of the later tables."""
    config = write_company(tmp_path)
    night(config, DAY)
    for table in LATER:
        folder = parquet(tmp_path) / table
        if folder.exists():
            shutil.rmtree(folder)
        else:
            folder.with_suffix(".parquet").unlink()
    return config


def parquet(company: Path) -> Path:
    return company / "lake" / "published" / "parquet"


def render(config: Path) -> Path:
    with open_house(config, "report", writing=False) as house:
        return Path(render_period(house, OCTOBER).index)


def test_what_an_earlier_version_published_is_rendered_and_what_it_lacks_is_named(config: Path) -> None:
    overview = render(config)
    for page in overview, next(overview.parent.glob("*search*.txt")):
        text = page.read_text(encoding="utf-8")
        assert "Not published yet" in text
        assert [table for table in LATER if table not in text] == []
        assert "10.50" in text


@pytest.mark.parametrize("is_there", [True, False])
def test_a_period_is_looked_at_without_reading_its_customers(is_there: bool) -> None:
    """They may be millions: not for the board's twelve months, nor to say who would be mailed."""
    asked: list[str] = []

    def months(table: str) -> list[date]:
        if not is_there:
            raise NotPublishedError(table)
        return [OCTOBER]

    def read(table: str, *_: object) -> pa.Table:
        asked.append(table)
        return contract(table).arrow_schema().empty_table()

    lake: Any = SimpleNamespace(published=lambda: SimpleNamespace(number=1, months=months, read=read))
    found = period_view(lake, OCTOBER, "USD")
    assert ("chargeback" in asked, CUSTOMERS in asked, found.customers) == (True, False, None)
    assert found.not_published == (() if is_there else (CUSTOMERS,))


@dataclass(frozen=True)
class Published:
    """A snapshot of one table."""

    rows: pa.Table
    number: int = 0

    def read(self, *_: object) -> pa.Table:
        return self.rows


def test_a_month_without_rows_of_customers_is_not_one_without_customers() -> None:
    """As one that was built before there was the table, or in another currency: no empty file beside its bill."""
    empty = contract(CUSTOMERS).arrow_schema().empty_table()
    row = {"billing_period": OCTOBER, "reporting_currency": "EUR", "effective_cost": "1"}
    for rows in (empty, filled(CUSTOMERS, [row])):
        lake: Any = SimpleNamespace(published=lambda rows=rows: Published(rows))
        assert customers_of(lake, 1, OCTOBER, "USD") is None
    found = customers_of(lake, 1, OCTOBER, "EUR")
    assert found is not None
    assert found.height == 1
