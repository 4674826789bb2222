"""Published bills are read whole: totals are computed from the files by the csv module and Decimal alone."""

import csv
import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.focus import SOURCE
from connectors.windows import month_window
from tests.connectors.focus.bills import Read, read, settings

SHARED = Path(__file__).resolve().parents[3] / "../shared"
SAMPLE = SHARED / "data/focus_1_0_sample/focus_sample_first_300.csv"
EXAMPLES = SHARED / "contracts/examples_providers"


def existing(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the repository")
    return path


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sample() -> tuple[list[dict[str, str]], Read]:
    content = existing(SAMPLE).read_bytes()
    return records(SAMPLE), read(content, window=month_window(dt.date(2024, 9, 1)))


@pytest.mark.parametrize("name", ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"])
def test_the_sample_keeps_every_row_and_every_cost(sample: tuple[list[dict[str, str]], Read], name: str) -> None:
    given, bill = sample
    column = {"BilledCost": "billed_cost", "EffectiveCost": "effective_cost"}.get(name, name[:-4].lower() + "_cost")
    assert bill.rejects == []
    assert [row[column] for row in bill.rows] == [Decimal(record[name]) for record in given]
    assert bill.total(column) == sum(Decimal(record[name]) for record in given)


def test_the_samples_words_for_null_are_null_and_untagged_rows_stay_untagged(
    sample: tuple[list[dict[str, str]], Read],
) -> None:
    given, bill = sample
    assert sum(row["tags"] is None for row in bill.rows) == sum(record["Tags"] == "NULL" for record in given) > 0
    assert not any("NULL" in row.values() for row in bill.rows)
    assert Counter(row["service_name"] for row in bill.rows) == Counter(record["ServiceName"] for record in given)


def test_the_samples_rounded_effective_cost_is_told(sample: tuple[list[dict[str, str]], Read]) -> None:
    given, bill = sample
    fractions = sum(Decimal(record["BilledCost"]) % 1 != 0 for record in given)
    assert any(f"though {fractions} billed costs are not" in notice for notice in bill.notices)


@pytest.mark.parametrize(
    "path",
    [
        "focus/focus_1_2_cost_and_usage.csv",
        "focus/focus_1_2_cost_and_usage.parquet",
        "focus/focus_1_4/cost_and_usage.csv",
    ],
)
def test_the_examples_of_the_standard_keep_every_row_and_cost(path: str) -> None:
    file = existing(EXAMPLES / path)
    given = records(file.with_suffix(".csv"))
    bill = read(file.read_bytes())
    assert bill.rejects == []
    for name, column in (("BilledCost", "billed_cost"), ("EffectiveCost", "effective_cost")):
        assert bill.total(column) == sum(Decimal(record[name]) for record in given)
    assert Counter(row["charge_category"] for row in bill.rows) == Counter(record["ChargeCategory"] for record in given)


@pytest.mark.parametrize("path", ["focus/focus_1_2_cost_and_usage.csv", "focus/focus_1_4/cost_and_usage.csv"])
def test_used_and_unused_commitments_of_the_examples_make_up_what_was_bought_hour_by_hour(path: str) -> None:
    file = existing(EXAMPLES / path)
    given, bill = records(file), read(file.read_bytes())
    committed = [row for row in bill.rows if row["commitment_discount_id"]]
    statuses = Counter(row["commitment_discount_status"] for row in committed)
    assert statuses == Counter(r["CommitmentDiscountStatus"] or None for r in given if r["CommitmentDiscountId"])
    assert statuses["Used"] > 0 < statuses["Unused"]
    bought, used = Counter[tuple[object, object]](), Counter[tuple[object, object]]()
    for row in committed:
        key = (row["commitment_discount_id"], row["charge_period_start"])
        bought[key] += row["billed_cost"] if row["charge_category"] == "Purchase" else 0
        used[key] += row["effective_cost"]
    assert used == bought
    assert {row["commitment_discount_category"] for row in committed} == {"Spend"}
    quantities = [Decimal(r["CommitmentDiscountQuantity"]) for r in given if r["CommitmentDiscountQuantity"]]
    assert [row["commitment_discount_quantity"] for row in committed] == quantities
    assert {row["commitment_discount_unit"] for row in committed} == {"USD"}


def test_an_azure_export_is_found_by_its_manifest_and_its_rows_are_those_it_states() -> None:
    chosen = settings(location=str(existing(EXAMPLES / "azure/cost")), currency="EUR")
    window = month_window(dt.date(2026, 9, 1))
    pages = list(SOURCE.fetch(chosen, window))
    assert [page.name.rpartition("/")[2] for page in pages] == ["manifest.json", "part_0_0001.csv"]
