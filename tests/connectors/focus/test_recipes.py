"""Every settings block of the README is read as it stands, and reads a small file of the shape that its provider documents."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

import connectors.focus
from connectors.registry import source
from tests.connectors.focus.bills import LINE, Read, csv_bill, gz_bill, line, page, read, september
from tests.connectors.focus.mapped import written

README = Path(connectors.focus.__file__).with_name("README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
RECIPES: Mapping[str, str] = dict(re.findall(r"\n### ([^\n]+)\n(?:(?!\n###).)*?```yaml\n(- .*?)```", README, re.DOTALL))


def read_with(settings: dict[str, Any], content: bytes, name: str = "2026-09/f") -> Read:
    """Reads a file as one delivery of September, with a source's settings as they stand in YAML."""
    kind = source(settings["kind"])
    chosen = kind.settings_model.model_validate(settings)
    return Read(list(kind.parse(chosen, september(), [page(content, name)])))


def recipe(name: str) -> dict[str, Any]:
    """The one source of a recipe."""
    (settings,) = yaml.safe_load(RECIPES[name])
    return settings


def test_there_is_a_recipe_for_each_provider() -> None:
    assert list(RECIPES) == [
        "OVHcloud",
        "Oracle",
        "CoreWeave",
        "Lambda",
        "RunPod",
        "Together",
        "Fireworks",
        "fal.ai",
    ]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.startswith(("sources:", "- "))])
def test_every_source_in_the_readme_has_valid_settings(block: str) -> None:
    content = yaml.safe_load(block)
    for settings in content["sources"] if isinstance(content, dict) else content:
        source(settings["kind"]).settings_model.model_validate(settings)


def test_the_example_of_a_mapping_reads_cents_with_a_comma_and_german_dates() -> None:
    (block,) = (block for block in BLOCKS if "Amount (ct)" in block)
    (settings,) = yaml.safe_load(block)["sources"]
    record = {"Day": "03.09.2026", "Product": "H100", "Kind": "usage", "Amount (ct)": "5736,5"}
    bill = read_with(settings, written(record, {**record, "Kind": "promo", "Amount (ct)": "-100"}, delimiter=";"))
    assert bill.rejects == []
    assert [row["billed_cost"] for row in bill.rows] == [Decimal("57.365"), Decimal(-1)]
    assert [row["charge_category"] for row in bill.rows] == ["Usage", "Credit"]


def test_the_example_of_cost_classes_finds_what_it_says() -> None:
    (block,) = (block for block in BLOCKS if "cost_classes:" in block)
    (settings,) = yaml.safe_load(block)["sources"]
    words = {"ServiceName": "EC2", "x_UsageType": "", "ServiceSubcategory": ""}
    given = [
        {"ServiceName": "Qdrant Cloud"},
        {"x_UsageType": "USE1-DataTransfer-Out-Bytes"},
        {"ServiceSubcategory": "Observability"},
        {},
    ]
    bill = read(csv_bill(*(line(**{**words, **over}) for over in given)), cost_classes=settings["cost_classes"])
    assert [row["x_cost_class"] for row in bill.rows] == ["vector_database", "egress", "observability", None]


def test_ovhcloud_every_list_of_the_months_usage_is_billed() -> None:
    usage = {
        "id": "f0e1",
        "period": {"from": "2026-09-01T00:00:00Z", "to": "2026-10-01T00:00:00Z"},
        "lastUpdate": "2026-10-01T02:00:00Z",
        "hourlyUsage": {
            "instance": [
                {
                    "reference": "h100-380",
                    "region": "GRA11",
                    "quantity": {"unit": "Hour", "value": 31.5},
                    "totalPrice": 88.20,
                    "details": [{"instanceId": "i1", "quantity": {"unit": "Hour", "value": 31.5}, "totalPrice": 88.20}],
                }
            ],
            "storage": [{"region": "GRA", "type": "pcs", "totalPrice": 0.01}],
            "volume": [],
        },
        "monthlyUsage": {"instance": [{"reference": "b2-7", "region": "GRA11", "totalPrice": 22, "details": []}]},
        "resourcesUsage": [{"type": "ai-training", "totalPrice": 1.10}],
    }
    bill = read_with(recipe("OVHcloud"), json.dumps(usage).encode())
    assert bill.rejects == []
    assert [(row["service_name"], row["billed_cost"]) for row in bill.rows] == [
        ("hourlyUsage.instance", Decimal("88.2")),
        ("hourlyUsage.storage", Decimal("0.01")),
        ("monthlyUsage.instance", Decimal(22)),
        ("resourcesUsage", Decimal("1.1")),
    ]
    first = bill.rows[0]
    assert (
        first["x_instance_type"],
        first["consumed_quantity"],
        first["consumed_unit"],
        first["billing_currency"],
    ) == (
        "h100-380",
        Decimal("31.5"),
        "Hour",
        "EUR",
    )


def test_oracle_is_focus_in_the_folders_of_its_days(tmp_path: Path) -> None:
    settings = {**recipe("Oracle"), "location": str(tmp_path)}
    content = gz_bill(line(ProviderName=""))
    report = tmp_path / "FOCUS Reports/2026/09/04/0001000001.csv.gz"
    report.parent.mkdir(parents=True)
    report.write_bytes(content)
    kind = source("focus")
    chosen = kind.settings_model.model_validate(settings)
    (found,) = kind.fetch(chosen, september())
    bill = read_with(settings, content, found.name)
    assert [row["provider_name"] for row in bill.rows] == ["Oracle"]


def test_coreweave_quantities_are_priced_by_the_contract_of_the_day() -> None:
    record = {
        **dict.fromkeys(("BillingAccountName", "ChargeClass", "ChargeDescription", "RegionName", "ResourceType"), ""),
        "BillingAccountId": "acme",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-09-03T00:00:00Z",
        "ChargePeriodEnd": "2026-09-03T01:00:00Z",
        "ConsumedQuantity": "4",
        "ConsumedUnit": "Hours",
        "ProviderName": "CoreWeave",
        "RegionId": "US-EAST-04",
        "ServiceCategory": "Compute",
        "SkuId": "gd-8xh100ib-i128",
    }
    later = {**record, "ChargePeriodStart": "2026-09-10T00:00:00Z", "ChargePeriodEnd": "2026-09-10T01:00:00Z"}
    records = [record, later, {**record, "SkuId": "public-ip", "ConsumedUnit": "IP-Hours"}]
    for content in (json.dumps(records).encode(), written(*records)):
        bill = read_with(recipe("CoreWeave"), content)
        assert [row["billed_cost"] for row in bill.rows] == [Decimal("196.96"), Decimal("179.2")]
        assert [(reject.row, reject.reason) for reject in bill.rejects] == [(3, "no_price")]
        assert not bill.closing.is_final


def test_lambda_hours_are_priced_by_the_card() -> None:
    record = {"day": "2026-09-03", "instance_id": "i1", "instance_type": "gpu_8x_h100_sxm5", "region": "us-west-1"}
    bill = read_with(recipe("Lambda"), written({**record, "hours": "24"}, {**record, "hours": "0.25"}))
    assert [row["billed_cost"] for row in bill.rows] == [Decimal("574.08"), Decimal("5.98")]


@pytest.mark.parametrize("member", ["data", "records"])
def test_runpod_amounts_are_billed_by_pod_and_day(member: str) -> None:
    content = (
        '{"%s": [{"startTime": "2026-09-03T00:00:00Z", "endTime": "2026-09-04T00:00:00Z", "podId": "pod1",'
        ' "gpuAmount": 47.76, "cpuAmount": 0, "diskAmount": 0.34, "totalAmount": 48.1,'
        ' "metadata": {"podName": "vllm", "gpuTypeId": "NVIDIA H100 80GB HBM3"}}], "metadata": {"bucketSize": "day"}}'
    )
    (row,) = read_with(recipe("RunPod"), (content % member).encode()).rows
    assert (row["billed_cost"], row["resource_id"], row["resource_name"], row["x_instance_type"]) == (
        Decimal("48.1"),
        "pod1",
        "vllm",
        "NVIDIA H100 80GB HBM3",
    )


def test_together_line_items_name_model_and_token_class_and_a_missing_project_is_empty() -> None:
    common = {"date": "2026-09-03", "currency": "USD"}
    tokens = {"product_name": "meta-llama/Llama-3.3-70B input tokens", "quantity": "1250000", "unit": "tokens"}
    endpoint = {"product_name": "H100 SXM dedicated endpoint", "quantity": "1440", "unit": "minutes"}
    content = {
        "organization_id": "org_acme",
        "month": "2026-09",
        "granularity": "daily",
        "line_items": [
            {**common, **tokens, "unit_price": "0.00000088", "amount": "1.10", "attributes": {"project_id": "search"}},
            {**common, **endpoint, "unit_price": "0.0563", "amount": "81.07", "attributes": {}},
        ],
    }
    bill = read_with(recipe("Together"), json.dumps(content).encode())
    assert bill.rejects == []
    assert bill.total("billed_cost") == Decimal("82.17")
    assert [row["sub_account_id"] for row in bill.rows] == ["search", None]
    assert [(row["x_model_id"], row["x_token_class"]) for row in bill.rows] == [
        ("meta-llama/Llama-3.3-70B", "input_uncached"),
        (None, None),
    ]
    assert {row["billing_account_id"] for row in bill.rows} == {"org_acme"}


def test_fireworks_tokens_and_seconds_are_priced_and_a_request_without_length_lasts_an_hour() -> None:
    content = b"""\
email,start_time,end_time,usage_type,accelerator_type,accelerator_seconds,base_model_name,model_bucket,parameter_count,prompt_tokens,completion_tokens
a@acme.example,2026-09-03 17:16:48 UTC,2026-09-03 17:16:48 UTC,TEXT_COMPLETION_INFERENCE_USAGE,,,llama-v3p1-70b-instruct,Llama 3.1 70B,70000000000,1250000,210000
a@acme.example,2026-09-03T00:00:00Z,2026-09-04T00:00:00Z,DEDICATED_DEPLOYMENT_USAGE,NVIDIA_H100_80GB,86400,qwen2p5-72b-instruct,,72000000000,,
a@acme.example,2026-09-03T00:00:00Z,2026-09-04T00:00:00Z,TEXT_COMPLETION_INFERENCE_USAGE,,,deepseek-v3,DeepSeek V3,671000000000,10,10
"""
    bill = read_with(recipe("Fireworks"), content)
    assert [row["billed_cost"] for row in bill.rows] == [Decimal("1.314"), Decimal(96)]
    assert [str(row["charge_period_end"]) for row in bill.rows] == ["2026-09-03 18:16:48", "2026-09-04 00:00:00"]
    assert [(reject.row, reject.reason) for reject in bill.rejects] == [(3, "no_price")]


def test_fal_is_focus_with_credits_and_taxes() -> None:
    lines = [line(InvoiceId="F-1"), line(InvoiceId="F-1", ChargeCategory="Credit", BilledCost="-5", EffectiveCost="-5")]
    bill = read_with(recipe("fal.ai"), csv_bill(*lines, columns=[*LINE, "InvoiceId"]))
    assert (bill.rejects, bill.total("billed_cost")) == ([], Decimal("50.04"))
    assert bill.closing.is_final


@pytest.mark.parametrize(
    ("name", "path", "total"),
    [
        ("RunPod", "runpod/v2_billing_pods.json", "48.10"),
        ("Together", "together/billing_usage_daily.json", "82.17"),
        ("CoreWeave", "coreweave/focus_1_2_usage_only.json", "196.96"),
        ("Fireworks", "fireworks/billing_export_metrics.csv", "97.314"),
    ],
)
def test_a_recipe_reads_the_recorded_example_of_its_provider(name: str, path: str, total: str) -> None:
    example = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers" / path
    if not example.exists():
        pytest.skip(f"{path} is not beside the repository")
    bill = read_with(recipe(name), example.read_bytes())
    assert (bill.rejects, bill.total("billed_cost")) == ([], Decimal(total))
