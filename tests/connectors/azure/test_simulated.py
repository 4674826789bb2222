"""Bills that a generator wrote from a YAML file cost what that file says, in both shapes of Azure's export.

`simulated/` holds what koku-nise 5.4.4 made of `ground_truth.yml`, which says how: a machine with a GPU for a month,
another for ten days, storage, and traffic whose cost is given outright.
"""

import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
import yaml

from connectors.base import Parsed
from connectors.windows import month_window
from tests.connectors.azure.test_published import place
from tests.connectors.azure.written import frame, night, settings

SIMULATED = Path(__file__).parent / "simulated"
D = Decimal


@dataclass(frozen=True)
class Bill:
    """A generated file and what became of it."""

    lines: list[dict[str, str]]
    chunks: list[Parsed]
    rows: pl.DataFrame


@pytest.fixture(scope="module", params=["subscription", "resource_group"])
def bill(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bill:
    content = gzip.decompress((SIMULATED / f"{request.param}_2026-08.csv.gz").read_bytes())
    folder = tmp_path_factory.mktemp("bill")
    place(folder, "actual", "ActualCost", content, "20260801-20260831")
    chunks = night(settings(location=str(folder), amortized=None), month_window(date(2026, 8, 1)))
    return Bill(list(csv.DictReader(io.StringIO(content.decode()))), chunks, frame(chunks))


@pytest.fixture(scope="module")
def truth() -> Mapping[str, Mapping[str, Any]]:
    """What the generator was told of each meter."""
    told = cast("dict[str, Any]", yaml.safe_load((SIMULATED / "ground_truth.yml").read_text()))
    return {made["meter_id"]: made for one in told["generators"] for made in one.values()}


def days(told: Mapping[str, Any]) -> int:
    return (date.fromisoformat(told["end_date"]) - date.fromisoformat(told["start_date"])).days + 1


def daily_cost(told: Mapping[str, Any]) -> Decimal:
    """What is given outright, else quantity times rate."""
    given = told.get("pre_tax_cost")
    return D(str(given)) if given else D(str(told["usage_quantity"])) * D(str(told["resource_rate"]))


def test_every_meter_costs_what_was_told(bill: Bill, truth: Mapping[str, Mapping[str, Any]]) -> None:
    expected = {meter: days(told) * daily_cost(told) for meter, told in truth.items()}
    # by hand: 31 * 24 * 3.673, 10 * 7 * 0.1, 31 * 1.1 * 1.1, 31 * 0.26
    assert sorted(expected.values()) == [D(7), D("8.06"), D("37.51"), D("2732.712")]
    meter = pl.col("sku_id")
    found = bill.rows.group_by(meter).agg(pl.col("billed_cost").sum(), pl.col("effective_cost").sum())
    assert {sku: (billed, effective) for sku, billed, effective in found.rows()} == {
        sku: (cost, cost) for sku, cost in expected.items()
    }


def test_no_line_is_lost_and_what_binary_fractions_added_is_rounded_away_and_told(bill: Bill) -> None:
    assert bill.rows.height == len(bill.lines) == 31 * 3 + 10
    assert not any(chunk.rejects or chunk.duplicate_count for chunk in bill.chunks)
    # the generator wrote 0.7000000000000001 and 1.2100000000000002
    long = sum(len(entry["CostInBillingCurrency"].partition(".")[2]) > 12 for entry in bill.lines)
    assert long == 10 + 31
    told = [notice for chunk in bill.chunks for notice in chunk.notices]
    assert f"{long} costs with more than 12 decimal places, rounded" in told


def test_machines_have_their_days_tags_and_types(bill: Bill, truth: Mapping[str, Mapping[str, Any]]) -> None:
    for told in (one for one in truth.values() if one.get("additional_info")):
        rows = bill.rows.filter(sku_id=told["meter_id"])
        first, last = date.fromisoformat(told["start_date"]), date.fromisoformat(told["end_date"])
        assert rows["charge_period_start"].dt.date().to_list() == pl.date_range(first, last, eager=True).to_list()
        assert set(rows["x_instance_type"]) == {told["additional_info"]["ServiceType"]}
        assert set(rows["pricing_quantity"]) == {D(told["usage_quantity"])}
        assert set(rows["resource_id"]) == {told["instance_id"].lower()}
        assert set(rows["tags"]) == {_json(told["tags"])}


def _json(tags: Mapping[str, str]) -> str:
    return "{" + ",".join(f'"{key}":"{tags[key]}"' for key in sorted(tags)) + "}"
