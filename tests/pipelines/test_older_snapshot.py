"""A snapshot that an earlier version published is reported as it is, and what it lacks is named, not left out."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.house import open_house
from pipelines.night.statements import render_period
from tests.pipelines.conftest import night
from tests.pipelines.small_company import DAY, write_company

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
