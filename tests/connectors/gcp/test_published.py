"""The example export and the simulated one, held against sums that csv and Decimal give."""

import csv
import gzip
import io
import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from connectors.windows import month_window
from tests.connectors.gcp.lines import SHARED, rows, total

EXAMPLES = SHARED / "contracts/examples_providers/gcp"
SIMULATED = SHARED / "data/simulated_gpu_cluster/gcp_bigquery_export_2026-08.csv.gz"
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples (../shared/contracts) are not here")
needs_simulated = pytest.mark.skipif(not SIMULATED.is_file(), reason="the simulated bill (../shared/data) is not here")


@needs_examples
def test_the_example_s_eleven_lines_are_what_was_added_up_by_hand() -> None:
    content = (EXAMPLES / "gcp_billing_export_resource_v1.jsonl").read_bytes()
    assert len(content.splitlines()) == 11
    found = rows([content])
    said = [(r["charge_category"], r["charge_class"], r["billed_cost"], r["effective_cost"]) for r in found]
    d = Decimal
    assert said == [
        ("Usage", None, d("78.4"), d("78.4")),  # 8 H100 for an hour
        ("Usage", None, d("0.224"), d("0.224")),  # L4 spot
        ("Usage", None, d("0.109401"), d("0.109401")),  # memory, of its 0.174496 what no commitment covers,
        ("Usage", None, d("0.065095"), d("0.065095")),  # ... and what a legacy commitment covers: its credit
        ("Credit", None, d("-0.065095"), d("-0.065095")),
        ("Usage", None, d(0), d("0.046868")),  # ... what it used of the legacy fee, all of it: 0.065095 * 0.72
        ("Purchase", None, d("0.046868"), d(0)),  # the legacy fee
        ("Usage", None, d("0.109398"), d("0.109398")),  # memory under the new model, at list
        ("Usage", None, d("0.046868"), d("0.046868")),  # ... and at the commitment's price
        ("Purchase", None, d("0.046868"), d(0)),  # the new fee,
        ("Credit", None, d("-0.046868"), d(0)),  # taken off again as far as it was used
        ("Purchase", None, d("0.022994"), d(0)),  # a fee that nobody used
        ("Usage", None, d(0), d("0.022994")),
        ("Usage", None, d("1.5625"), d("1.5625")),  # 1,250,000 tokens of Gemini 2.5 Pro
        ("Adjustment", "Correction", d("-9.8"), d("-9.8")),  # an outage in August
        ("Tax", None, d("0.31"), d("0.31")),
    ]
    assert total(found) == total(found, "effective_cost") == d("71.032029")
    tokens = found[13]
    assert (tokens["x_model_id"], tokens["x_token_class"], tokens["x_service_tier"]) == (
        "gemini-2.5-pro",
        "input_uncached",
        "default",
    )
    assert (tokens["consumed_quantity"], tokens["consumed_unit"]) == (1_250_000, "Tokens")
    assert tokens["consumed_quantity"] * tokens["list_unit_price"] == tokens["billed_cost"]
    assert [r["commitment_discount_id"] for r in found if r["x_commitment_cost"]] == [
        "sub-legacy-01",
        "sub-new-01",
        "sub-new-01",
    ]
    lines = [json.loads(text) for text in content.splitlines()]
    by_hand = sum(Decimal(str(e["cost"])) + sum(Decimal(str(c["amount"])) for c in e["credits"]) for e in lines)
    assert total(found) == by_hand


@needs_simulated
def test_the_simulated_bill_is_exact_to_the_twelfth_place_of_every_line() -> None:
    content = SIMULATED.read_bytes()
    with gzip.open(io.BytesIO(content), "rt", newline="") as text:
        lines = list(csv.DictReader(text))
    exact = [Decimal(entry["cost"]) for entry in lines]
    found = rows([content], month_window(date(2026, 8, 1)))
    assert len(found) == len(lines) == 2016
    place = Decimal("1e-12")
    assert [r["billed_cost"] for r in found] == [cost.quantize(place, ROUND_HALF_UP) for cost in exact]
    assert abs(total(found) - sum(exact)) <= len(lines) * place / 2
    assert total(found).quantize(Decimal("1e-9")) == Decimal("8.430649766")
    machines = {r["x_instance_type"] for r in found}
    assert machines == {None, "a2-highgpu-1g", "e2-medium"}
    assert sum(1 for r in found if r["tags"] == '{"vm_key_proj2":"vm_label_proj2"}') == 670  # counted in the file
    labelled = [r for r in found if "project.labels" in json.loads(r["x_extra"])]
    assert len(labelled) == 1008
