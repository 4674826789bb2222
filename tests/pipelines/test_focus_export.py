"""`farthing export focus`: a month's file in the standard's terms, from a night to a locked month's corrections."""

import csv
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from typer.testing import CliRunner

from pipelines.cli.export import export_focus
from pipelines.cli.main import app
from pipelines.house import open_house
from pipelines.night.focus import focus_breaks
from tests.pipelines import test_close as ledger
from tests.pipelines.focus_validator import WRONG, rules
from tests.pipelines.small_company import DAY, line, write_bill

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def night(config: Path, first: date, last: date) -> None:
    """The ledger's part of a night, FOCUS's rows with it, and what must hold of them."""
    ledger.night(config, first, last)
    with open_house(config, "check", clock=lambda: ledger.at_noon(last), writing=False) as house:
        assert focus_breaks(house, first) == []


def exported(folder: Path, month: str, version: str = "1.2", name: str = "focus.parquet") -> tuple[int, str, Path]:
    said, file = StringIO(), folder / "out" / name
    day = date.fromisoformat(f"{month}-01")
    code = export_focus(Console(file=said, width=200), folder / "farthing.yml", day, version, file)
    return code, said.getvalue(), file


def _company(folder: Path) -> Path:
    config = ledger.company(folder)
    night(config, DAY, date(2026, 11, 2))
    return config


@pytest.fixture
def company(tmp_path: Path) -> Path:
    return _company(tmp_path)


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that nothing more happens to."""
    return _company(tmp_path_factory.mktemp("company"))


def test_a_month_is_written_in_the_standard_s_terms_and_what_nobody_knows_is_told(october: Path) -> None:
    code, said, file = exported(october.parent, "2026-10")
    assert code == 3  # written, and values are lacking
    assert f"{file}: 2 rows of FOCUS 1.2" in said
    assert "SkuPriceId is not known on 2 of the 2 rows that need it (bill, other-bill)" in said
    assert "PricingQuantity" not in said  # the bill states it
    table = pq.read_table(file)
    assert table.schema.metadata[b"focus_version"] == b"1.2"
    assert table.column_names[:2] == ["AvailabilityZone", "BilledCost"]
    assert not [name for name in table.column_names if name.startswith("Allocated")]
    assert str(table.schema.field("ChargePeriodStart").type) == "timestamp[us, tz=UTC]"
    rows = pl.read_parquet(file).sort("BilledCost")
    assert rows["BilledCost"].to_list() == [Decimal(2), Decimal("10.5")]
    assert rows["InvoiceId"].to_list() == ["INV-2", "INV-1"]
    assert rows["x_AccountId"].to_list() == ["residual:unallocated", "team:search"]
    assert rows["PublisherName"].to_list() == ["Cloud", "Cloud"]  # the other bill names who makes what it resells


def test_csv_says_the_same_as_parquet(october: Path) -> None:
    _, _, parquet = exported(october.parent, "2026-10", "1.4")
    _, _, text = exported(october.parent, "2026-10", "1.4", "focus.csv")
    lines = list(csv.DictReader(text.read_text(encoding="utf-8").splitlines()))
    rows = pq.read_table(parquet).to_pylist()
    assert [list(row) for row in lines] == [list(row) for row in rows]
    assert {row["ChargePeriodStart"] for row in lines} == {"2026-10-31T00:00:00Z"}
    assert [row["SkuId"] for row in lines] == ["", ""]
    assert [Decimal(row["BilledCost"]) for row in lines] == [row["BilledCost"] for row in rows]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["--month", "2026-10", "--output", "x.parquet", "--version", "1.1"],
            2,
            "--version is 1.2, 1.3, 1.4, not '1.1'",
        ),
        (["--month", "2026-10", "--output", "x.xlsx"], 1, "ends in .xlsx; FOCUS is written as .parquet or .csv"),
        (["--month", "2026-09", "--output", "x.csv"], 1, "nothing of 2026-09 is published in FOCUS; there are 2026-10"),
        (["--month", "october", "--output", "x.csv"], 2, "2026-10"),
    ],
)
def test_a_wrong_call_says_what_was_expected(october: Path, arguments: list[str], code: int, words: str) -> None:
    found = CliRunner().invoke(app, ["export", "focus", "-c", str(october), *arguments])
    assert found.exit_code == code
    assert words in " ".join(found.output.split())
    assert not list(october.parent.glob("x.*"))


def test_late_usage_of_a_locked_month_is_a_correction_in_the_open_one(company: Path) -> None:
    """G12, through two nights and the command."""
    folder = company.parent
    ledger.locked(company, date(2026, 11, 3))
    before = pl.read_parquet(exported(folder, "2026-10")[2])
    late = line(InvoiceId="INV-1", BilledCost="4.12", EffectiveCost="4.12", ChargePeriodStart="2026-10-31T23:00:00Z")
    write_bill(folder / "bills", [line(InvoiceId="INV-1"), late])
    night(company, date(2026, 11, 3), date(2026, 11, 4))
    assert pl.read_parquet(exported(folder, "2026-10")[2]).equals(before)
    rows = pl.read_parquet(exported(folder, "2026-11")[2])
    assert rows.select("ChargeClass", "ChargeCategory", "BilledCost", "InvoiceId", "x_AccountId").rows() == [
        ("Correction", "Usage", Decimal("4.12"), "INV-1", "team:search")
    ]
    starts = rows.select("BillingPeriodStart", "ChargePeriodStart", "x_CorrectedPeriod").row(0)
    assert [str(start)[:13] for start in starts] == ["2026-11-01 00", "2026-10-31 23", "2026-10-01"]
    # what the ledger posted of it is the same
    [(posted,)] = ledger.asked(folder, "select sum(effective_cost) from period_adjustments")
    assert rows["EffectiveCost"].sum() == posted


def test_a_night_without_news_builds_nothing_again(company: Path) -> None:
    with open_house(company, "a", clock=lambda: ledger.at_noon(date(2026, 11, 2)), writing=False) as house:
        before = house.lake.versions()["focus_cost_and_usage"]
    night(company, DAY, date(2026, 11, 2))
    with open_house(company, "b", clock=lambda: ledger.at_noon(date(2026, 11, 2)), writing=False) as house:
        assert house.lake.versions()["focus_cost_and_usage"] == before


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_the_validator_gets_wrong_is_wrong_by_the_standard_s_own_sentence(name: str) -> None:
    """As soon as a rule checks something else, this fails, and the rule is held again."""
    rule, wrong = rules()[name], WRONG[name]
    assert rule["MustSatisfy"] == wrong.sentence
    assert (rule["Condition"], rule["Requirement"]) == (wrong.condition, wrong.requirement)
