"""The mapping to FOCUS names what the standard names, in its order, for every version that can be exported."""

import csv

import polars as pl
import pytest

from contracts import contract
from contracts.focus import FOCUS, FocusMapping, focus_mapping
from models.focus_needs import contradictions, unknown_values
from tests.models.focus_bill import whole
from tests.pipelines.conftest import SHARED

COLUMNS = SHARED / "contracts" / "focus_columns.csv"


@pytest.mark.parametrize("version", focus_mapping().versions)
def test_a_version_has_the_standard_s_columns_in_its_order_and_then_those_of_no_standard(version: str) -> None:
    if not COLUMNS.exists():
        pytest.skip("needs the lists of FOCUS's columns beside the checkout (../shared/contracts)")
    with COLUMNS.open(encoding="utf-8") as file:
        lines = [row for row in csv.DictReader(file) if (row["version"], row["dataset"]) == (version, "CostAndUsage")]
    names = list(focus_mapping().names(version).values())
    own = [name for name in names if name.startswith("x_")]
    assert names == [*(row["column"] for row in lines), *own]
    assert len(set(names)) == len(names)
    columns = {column.name: column for column in contract(FOCUS).columns}
    for row in lines:
        allowed = set(row["allowed_values"].split("; ")) if row["allowed_values"] else None
        found = columns[row["column"]].values
        assert allowed is None or found is None or set(found) == allowed, row["column"]
        is_never_null = not columns[row["column"]].nullable
        needs = focus_mapping().columns[row["column"]].needs
        # what the standard never allows to be NULL is never NULL here, or is told
        assert row["nullable"] == "True" or is_never_null or needs == "always", row["column"]


def test_what_a_version_does_not_know_yet_has_its_name_behind_x() -> None:
    names = focus_mapping().names("1.2")
    assert names["AllocatedMethodId"] == "x_AllocatedMethodId"
    assert names["ServiceProviderName"] == "x_ServiceProviderName"
    assert "ProviderName" not in focus_mapping().names("1.4")
    with pytest.raises(ValueError, match=r"FOCUS 1\.1 is not known; known are 1\.2, 1\.3, 1\.4"):
        focus_mapping().names("1.1")


def test_a_mapping_of_other_columns_than_the_contract_s_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in"):
        FocusMapping.model_validate({"versions": ["1.2"], "columns": {}, "own_columns": {}})


def test_what_the_standard_wants_and_nobody_told_is_counted_where_it_wants_it() -> None:
    rows = whole(
        {"billed_cost": "1", "charge_category": "Tax"},
        {"billed_cost": "1", "resource_id": "r", "commitment_discount_id": "c", "x_extra": '{"PricingCurrency":"EUR"}'},
    )
    found = {unknown.column: (unknown.row_count, unknown.needed_count) for unknown in unknown_values(rows, "1.2")}
    assert found == {
        "BillingAccountName": (2, 2),
        "CommitmentDiscountCategory": (1, 1),
        "CommitmentDiscountQuantity": (1, 1),
        "CommitmentDiscountStatus": (1, 1),
        "CommitmentDiscountType": (1, 1),
        "ConsumedQuantity": (1, 1),
        "ContractedUnitPrice": (1, 1),
        "ListUnitPrice": (1, 1),
        "PricingCategory": (1, 1),
        "PricingCurrency": (1, 2),
        "PricingQuantity": (1, 1),
        "ResourceType": (1, 1),
        "SkuId": (1, 1),
        "SkuPriceId": (1, 1),
    }
    assert unknown_values(rows.filter(pl.lit(value=False)), "1.2") == []


def test_what_a_bill_says_against_the_standard_is_told_as_it_is() -> None:
    priced = {"list_unit_price": "2", "pricing_quantity": "3", "list_cost": "6", "billed_cost": "6"}
    rows = whole(
        {"service_name": "EC2", "service_category": "Compute", **priced},
        {"service_name": "EC2", "service_category": "Storage", **priced, "list_cost": "6.00000001"},
        {"service_name": "S3", "service_category": "Storage", **priced, "list_cost": "6.000000001"},
    )
    assert contradictions(rows) == [
        "EC2 stands under Compute and Storage",
        "ListCost is not ListUnitPrice times PricingQuantity on 1 rows",
    ]
