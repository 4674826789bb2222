"""Published and simulated AWS bills give the totals that another reader counts: csv and Decimal."""

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.aws.bill import SOURCE
from connectors.base import IncompleteDeliveryError
from connectors.windows import month_window
from tests.connectors.aws.bill_reports import Read, contents, read, settings
from tests.connectors.focus.bills import csv_bill, line

SHARED = Path(__file__).resolve().parents[3] / "../shared"
EXPORT = SHARED / "contracts/examples_providers/aws/cur2"
LEGACY = SHARED / "data/cloud_bills/aws_cur_legacy_first_300.csv"
CLUSTER = SHARED / "data/simulated_gpu_cluster"
D = Decimal


def present(path: Path) -> bytes:
    if not path.exists():
        pytest.skip(f"{path.name} is not there: put the shared data beside the repository")
    return path.read_bytes()


def records(content: bytes) -> list[dict[str, str]]:
    text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


@pytest.fixture(scope="module")
def export_file() -> Path:
    path = EXPORT / "data/BILLING_PERIOD=2026-09/acme-cur2-00001.csv"
    present(path)
    return path


@pytest.fixture(scope="module")
def example(export_file: Path) -> Read:
    return read(export_file.read_bytes())


def test_the_totals_of_the_example_export_are_exact(export_file: Path, example: Read) -> None:
    lines = records(export_file.read_bytes())
    assert len(example.rows) == len(lines) == 10
    assert example.rejects == []
    assert example.total() == sum(D(entry["line_item_unblended_cost"]) for entry in lines)
    # covered 31.464, unused hour 31.464, spot, Nova, Claude, tax, credit
    assert example.total("effective_cost") == D("31.464") * 2 + D("1.8012") + D("1.00032") + D("7.5") + D("0.55") - 10


def test_used_and_unused_make_up_each_hour_of_the_examples_plan(example: Read) -> None:
    for hour in {row["charge_period_start"] for row in example.rows if row["x_commitment_cost"] is not None}:
        status = [
            example.total("effective_cost", charge_period_start=hour, commitment_discount_status=word)
            for word in ("Used", "Unused")
        ]
        assert sum(status) == example.total("x_commitment_cost", charge_period_start=hour) == D("31.464")


def test_the_models_of_the_example_are_named_and_counted_in_tokens(example: Read) -> None:
    models = {r["x_model_id"]: (r["x_token_class"], r["consumed_quantity"]) for r in example.rows if r["x_model_id"]}
    assert models == {
        "Nova2Pro": ("input_uncached", D(1_250_400)),
        "anthropic.claude-sonnet-4-5-20250929-v1:0": ("input_uncached", D(2_500_000)),
    }


def test_the_pod_of_the_example_takes_a_share_that_no_total_holds(example: Read) -> None:
    (pod,) = [row for row in example.rows if row["x_split_parent_resource_id"]]
    assert (pod["x_split_cost"], pod["billed_cost"], pod["effective_cost"]) == (D("14.1588"), 0, 0)


def test_the_examples_manifest_leads_to_its_packed_file(export_file: Path, example: Read, tmp_path: Path) -> None:
    folder = "BILLING_PERIOD=2026-09"
    told = EXPORT / f"metadata/{folder}/acme-cur2-Manifest.json"
    (tmp_path / f"metadata/{folder}").mkdir(parents=True)
    (tmp_path / f"metadata/{folder}/{told.name}").write_bytes(told.read_bytes())
    window = month_window(date(2026, 9, 1))
    where = settings(location=str(tmp_path))
    with pytest.raises(IncompleteDeliveryError, match="are not there"):
        list(SOURCE.fetch(where, window))
    (tmp_path / f"data/{folder}").mkdir(parents=True)
    (tmp_path / f"data/{folder}/{export_file.name}.gz").write_bytes(gzip.compress(export_file.read_bytes(), mtime=0))
    found = read(*contents(SOURCE.fetch(where, window)))
    assert (found.total(), found.total("effective_cost")) == (example.total(), example.total("effective_cost"))
    assert not any("manifest" in notice for notice in found.notices)


@pytest.fixture(scope="module")
def legacy_lines() -> list[dict[str, str]]:
    return records(present(LEGACY))


@pytest.fixture(scope="module")
def legacy() -> Read:
    return read(present(LEGACY), month=date(2023, 11, 1))


def test_the_total_of_the_legacy_report_is_exact(legacy_lines: list[dict[str, str]], legacy: Read) -> None:
    assert legacy.total() == sum(D(entry["lineItem/UnblendedCost"]) for entry in legacy_lines) == D("0.3109225665")


def test_line_item_ids_repeat_and_no_line_is_lost_for_it(legacy_lines: list[dict[str, str]], legacy: Read) -> None:
    ids = Counter(entry["identity/LineItemId"] for entry in legacy_lines)
    assert max(ids.values()) > 1, "the trap is there"
    assert len({(entry["identity/LineItemId"], entry["identity/TimeInterval"]) for entry in legacy_lines}) == len(
        legacy_lines
    )
    assert len(legacy.rows) == len(legacy_lines)
    assert [row["x_row"] for row in legacy.rows] == list(range(1, len(legacy_lines) + 1))


def test_lines_without_an_invoice_leave_the_month_open(legacy: Read) -> None:
    assert not legacy.is_final


@pytest.fixture(scope="module")
def truth() -> Mapping[str, Mapping[str, str]]:
    """What the YAML says of each resource: scalars by name, read without a YAML library."""
    text = present(CLUSTER / "aws_ground_truth.yml").decode()
    blocks = text.split("Generator:")[1:]
    of = [dict(re.findall(r"^ +(\w+): '?([^'\n]+)'?$", block, re.MULTILINE)) for block in blocks]
    return {block["resource_id"]: block for block in of}


@pytest.fixture(scope="module")
def cluster() -> Read:
    return read(present(CLUSTER / "aws_cur_2026-08.csv.gz"), month=date(2026, 8, 1))


def test_simulated_on_demand_hours_cost_their_rate(truth: Mapping[str, Mapping[str, str]], cluster: Read) -> None:
    rate = D(truth["77777771"]["rate"])
    rows = [row for row in cluster.rows if row["resource_id"] == "i-77777771"]
    assert len(rows) == 31 * 24
    assert {row["x_purchase_option"] for row in rows} == {"on_demand"}
    assert {row["x_instance_type"] for row in rows} == {truth["77777771"]["inst_type"]} == {"p5en.48xlarge"}
    for column in ("billed_cost", "effective_cost", "list_cost", "contracted_cost"):
        assert cluster.total(column, resource_id="i-77777771") == rate * 31 * 24
    assert {row["tags"] for row in rows} == {'{"user:env":"prod","user:team":"assistant"}'}


def test_simulated_reserved_hours_cost_nothing_more_and_their_missing_amortisation_is_told(cluster: Read) -> None:
    rows = [row for row in cluster.rows if row["resource_id"] == "i-77777772"]
    assert {row["x_purchase_option"] for row in rows} == {"reserved"}
    assert sum(row["consumed_quantity"] for row in rows) == 31 * 24
    assert (cluster.total(resource_id="i-77777772"), {row["list_cost"] for row in rows}) == (0, {None})
    assert any("744 lines of commitments state no amortised cost" in notice for notice in cluster.notices)
    assert any("744 lines hold a list cost" in notice for notice in cluster.notices), "columns shifted: 'convertible'"


def test_simulated_covered_hours_cost_the_plans_rate(truth: Mapping[str, Mapping[str, str]], cluster: Read) -> None:
    plan, hours = truth["77777773"], 31 * 24
    rows = [row for row in cluster.rows if row["x_charge_type"] == "SavingsPlanCoveredUsage"]
    assert {row["x_purchase_option"] for row in rows} == {"savings_plan"}
    assert cluster.total(x_charge_type="SavingsPlanCoveredUsage") == D(plan["rate"]) * hours
    assert cluster.total("effective_cost", x_charge_type="SavingsPlanCoveredUsage") == D(plan["saving"]) * hours


def test_simulated_negation_is_billed_and_has_no_effective_cost(
    truth: Mapping[str, Mapping[str, str]], cluster: Read
) -> None:
    rate, hours = D(truth["77777774"]["rate"]), 3 * 24
    assert cluster.total(x_charge_type="SavingsPlanNegation") == -rate * hours
    assert cluster.total("effective_cost", x_charge_type="SavingsPlanNegation") == 0


def test_simulated_storage_and_traffic_cost_amount_times_rate_to_the_cent_of_a_trillionth(
    truth: Mapping[str, Mapping[str, str]], cluster: Read
) -> None:
    storage, traffic = truth["77777775"], truth["77777776"]
    assert cluster.total(sku_id=storage["product_sku"]) == D(storage["amount"]) * D(storage["rate"]) * 31 * 24
    # the generator wrote 10.799999999999999: twelve places are the exact product again
    assert cluster.total(sku_id=traffic["product_sku"]) == D(traffic["amount"]) * D(traffic["rate"]) * 31 * 24
    assert any(notice.startswith("744 billed costs with more than 12") for notice in cluster.notices)


def test_the_whole_simulated_month_is_the_sum_that_another_reader_counts(cluster: Read) -> None:
    lines = records(present(CLUSTER / "aws_cur_2026-08.csv.gz"))
    counted = sum((D(entry["lineItem/UnblendedCost"]).quantize(D("1e-12")) for entry in lines), D(0))
    assert (len(cluster.rows), cluster.total()) == (len(lines), counted)
    assert cluster.rejects == []


def test_the_next_months_file_without_lines_is_an_empty_delivery() -> None:
    found = read(present(CLUSTER / "aws_cur_2026-09_spill.csv.gz"))
    assert (found.rows, found.rejects, found.is_final) == ([], [], False)


def test_a_focus_export_is_read_as_such_with_models_and_tokens() -> None:
    meter = {
        "SkuMeter": "USE1-Claude4.6Sonnet-output-tokens",
        "ConsumedQuantity": "2.5",
        "ConsumedUnit": "1K tokens",
    }
    machine = {"SkuMeter": "BoxUsage:p5.48xlarge", "ConsumedQuantity": "1", "ConsumedUnit": "Hrs"}
    found = read(csv_bill(line(**machine), line(**meter, BilledCost="0.0375")))
    assert found.rejects == []
    assert found.total() == D("55.04") + D("0.0375")
    assert [row["x_model_id"] for row in found.rows] == [None, "anthropic.claude-sonnet-4-6-v1:0"]
    assert [row["x_token_class"] for row in found.rows] == [None, "output_text"]
    assert [(row["consumed_quantity"], row["consumed_unit"]) for row in found.rows] == [
        (1, "Hrs"),
        (2500, "Tokens"),
    ]
    assert {row["provider_name"] for row in found.rows} == {"AWS"}


def test_a_focus_export_without_meters_has_no_models() -> None:
    assert [row["x_model_id"] for row in read(csv_bill(line())).rows] == [None]
