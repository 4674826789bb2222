"""Published Azure bills, and the provider's own examples: every total to the last place."""

import shutil
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest

from connectors.base import IncompleteDeliveryError
from connectors.windows import month_window
from tests.connectors.azure.written import frame, lines_of, manifest, night, settings

SHARED = Path(__file__).resolve().parents[3] / "../shared"
EXAMPLES = SHARED / "contracts/examples_providers/azure"
PLACES = Decimal("1e-12")


def published(path: str) -> bytes:
    found = SHARED / path
    if not found.is_file():
        pytest.skip(f"{path} is not beside this checkout")
    return found.read_bytes()


def place(folder: Path, export: str, kind: str | None, content: bytes, month: str) -> None:
    run = folder / export / month / "run-1"
    run.mkdir(parents=True)
    (run / "part.csv").write_bytes(content)
    (run / "manifest.json").write_bytes(manifest(kind, {f"{export}/part.csv": content}))


def exact(content: bytes, column: str) -> Decimal:
    """Every line's cost at twelve places, added up: twelve places are what a ledger keeps."""
    return sum((Decimal(found[column]).quantize(PLACES, ROUND_HALF_UP) for found in lines_of(content)), Decimal(0))


def test_the_enterprise_bill_in_canadian_dollars_is_exact(tmp_path: Path) -> None:
    content = published("data/cloud_bills/azure_ea_export.csv")
    place(tmp_path, "actual", None, content, "20230901-20230930")
    chunks = night(settings(location=str(tmp_path), amortized=None, currency="CAD"), month_window(date(2023, 9, 1)))
    found = frame(chunks)
    assert found.height == 27
    assert found["billed_cost"].sum() == exact(content, "CostInBillingCurrency") == Decimal("1.261369265057")
    assert not any(chunk.rejects for chunk in chunks)
    assert "2 costs with more than 12 decimal places, rounded" in chunks[-1].notices
    assert set(found["tags"]) == {'{"tagA":"valueA","tagB":"valueB","tagC":"valueC"}'}
    assert set(found["charge_period_start"].dt.date()) == {date(2023, 9, 2)}
    operations = found.filter(pl.col("sku_meter") == "Class 2 Operations")
    assert operations.select("consumed_quantity", "consumed_unit", "pricing_unit").row(0) == (
        129,
        "Units",
        "10000 Units",
    )


def test_the_enterprise_bill_is_refused_in_another_currency_line_by_line(tmp_path: Path) -> None:
    place(tmp_path, "actual", None, published("data/cloud_bills/azure_ea_export.csv"), "20230901-20230930")
    chunks = night(settings(location=str(tmp_path), amortized=None), month_window(date(2023, 9, 1)))
    assert frame(chunks).height == 0
    assert {reject.reason for chunk in chunks for reject in chunk.rejects} == {"wrong_currency"}


def test_actual_and_amortized_bills_are_exact_in_both_sums(tmp_path: Path) -> None:
    actual = published("data/azure_actual_amortized/EA_ActualCost_Small.csv")
    amortized = published("data/azure_actual_amortized/EA_AmortizedCost_Small.csv")
    place(tmp_path, "actual", "ActualCost", actual, "20230901-20230930")
    place(tmp_path, "amortized", "AmortizedCost", amortized, "20230901-20230930")
    chunks = night(settings(location=str(tmp_path)), month_window(date(2023, 9, 1)))
    found = frame(chunks)
    assert found["billed_cost"].sum() == exact(actual, "Cost") == Decimal("8.545007786742")
    assert found["effective_cost"].sum() == exact(amortized, "Cost")
    # 11 and 28 lines, of which ten are the same: counted with the csv module
    assert found.height + sum(chunk.duplicate_count for chunk in chunks) == 39
    assert sum(chunk.duplicate_count for chunk in chunks) == 10
    purchase = found.filter(charge_category="Purchase")
    assert purchase.select("billed_cost", "effective_cost", "x_commitment_payment").rows() == [
        (Decimal("3.25"), 0, "no_upfront")
    ]


def test_the_machines_of_a_scale_set_are_told_apart(tmp_path: Path) -> None:
    content = published("data/azure_actual_amortized/EA_AmortizedCost_Small.csv")
    place(tmp_path, "amortized", "AmortizedCost", content, "20230901-20230930")
    found = frame(night(settings(location=str(tmp_path), actual=None), month_window(date(2023, 9, 1))))
    machines = found.filter(
        pl.col("resource_id").str.contains("virtualmachinescalesets") & pl.col("x_instance_type").is_not_null()
    )
    assert sorted(
        machines.select(pl.col("resource_id").str.split("/").list.tail(4).list.join("/"), "x_instance_type").rows()
    ) == [
        ("virtualmachinescalesets/aks-agentpool-42850074-vmss/virtualmachines/1", "Standard_DS2_v2"),
        ("virtualmachinescalesets/aks-secretagent-37798712-vmss/virtualmachines/1", "Standard_B2s"),
    ]
    reserved = found.filter(pl.col("commitment_discount_type") == "Reservation")
    assert reserved["commitment_discount_id"].to_list() == ["f39d1c73-af74-4308-9083-fbf5efab37d1"]


def test_the_cost_details_example_puts_provisioned_units_at_their_amortised_price(tmp_path: Path) -> None:
    actual, amortized = published_example("actual_cost_c360.csv"), published_example("amortized_cost_c360.csv")
    place(tmp_path, "actual", "ActualCost", actual, "20260901-20260930")
    place(tmp_path, "amortized", "AmortizedCost", amortized, "20260901-20260930")
    found = frame(night(settings(location=str(tmp_path))))
    # 2.5 for a million tokens that only the actual file has; 1200 + 240 unit hours at 0.666667
    assert found["billed_cost"].sum() == Decimal("2.5")
    assert found["effective_cost"].sum() == Decimal("960.00048")
    tokens = found.filter(pl.col("x_model_id") == "gpt-4.1")
    assert tokens.select("x_token_class", "consumed_quantity", "consumed_unit").row(0) == (
        "input_uncached",
        1_000_000,
        "Tokens",
    )
    units = found.filter(x_purchase_option="provisioned")
    assert sorted(units.select("commitment_discount_status", "effective_cost", "x_service_tier").rows()) == [
        ("Unused", Decimal("160.00008"), "provisioned"),
        ("Used", Decimal("800.0004"), "provisioned"),
    ]
    assert units["x_commitment_cost"].null_count() == 2  # nobody states the purchase


def test_the_focus_example_is_read_once_its_manifest_tells_the_truth(tmp_path: Path) -> None:
    published_example("cost/focus-daily/20260901-20260930/0e0e0e0e-0000-4000-8000-000000000001/manifest.json")
    shutil.copytree(EXAMPLES / "cost", tmp_path / "cost", copy_function=shutil.copyfile)
    for folder in (tmp_path / "cost").rglob("*"):
        folder.chmod(0o755)
    given = settings(location=str(tmp_path / "cost"), actual=None, amortized=None, focus="focus-daily", currency="EUR")
    with pytest.raises(IncompleteDeliveryError, match="5,120"):
        night(given)
    for path in (tmp_path / "cost").rglob("manifest.json"):
        size = (path.parent / "part_0_0001.csv").stat().st_size
        path.write_text(path.read_text().replace("5120", str(size)))
    chunks = night(given)
    found = frame(chunks)
    # by hand: 2.3 + 4.6 + 0 billed, 2.3 + 4.6 + 736 worth
    assert (found["billed_cost"].sum(), found["effective_cost"].sum()) == (Decimal("6.9"), Decimal("742.9"))
    assert found.select("x_model_id", "x_token_class", "x_service_tier", "x_purchase_option").rows() == [
        ("gpt-4.1", "input_uncached", "default", None),
        ("gpt-4.1", "output_text", "default", None),
        (None, None, "provisioned", "provisioned"),
    ]
    assert found.select("sub_account_id", "commitment_discount_id").rows() == [
        ("aaaaaaaa-0000-4000-8000-000000000001", None),
        ("aaaaaaaa-0000-4000-8000-000000000001", None),
        ("aaaaaaaa-0000-4000-8000-000000000001", "dddddddd-0000-4000-8000-000000000001"),
    ], "bare ids, as in the other exports"
    assert sum(chunk.stated_rows or 0 for chunk in chunks) == 3


def test_the_older_manifest_is_read(tmp_path: Path) -> None:
    written = published_example("manifest_legacy_partitioned_2021-01-01.json").decode()
    content = b"\r\n".join([*(published_example("actual_cost_c360.csv").splitlines()[:2]), b""])
    run = tmp_path / "partitioned/20260901-20260930/202609040702/0e0e0e0e-0000-4000-8000-000000000002"
    run.mkdir(parents=True)
    (run / "000001.csv").write_bytes(content)
    told = written.replace("40960", str(len(content))).replace('"dataRowCount": 120', '"dataRowCount": 1')
    (run / "manifest.json").write_text(told)
    chunks = night(settings(location=str(tmp_path), actual="partitioned", amortized=None))
    assert frame(chunks)["billed_cost"].to_list() == [Decimal("2.5")]
    assert chunks[-1].stated_rows == 1


def published_example(name: str) -> bytes:
    return published(f"contracts/examples_providers/azure/{name}")
