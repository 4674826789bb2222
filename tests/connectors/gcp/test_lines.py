"""What a line of the billing export means: usage, credits, adjustments, taxes, labels, machines, invoice months."""

import json
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from connectors.base import IncompleteDeliveryError
from connectors.windows import month_window
from tests.connectors.gcp.lines import (
    SCHEMA,
    credit,
    flat_csv,
    json_lines,
    line,
    parquet,
    parsed,
    rejects,
    rows,
    total,
)

FORMS = pytest.mark.parametrize("write", [json_lines, parquet, flat_csv])


@FORMS
def test_the_three_forms_of_a_line_say_the_same(write) -> None:
    (found,) = rows([write(line())])
    expected = {
        "billing_account_id": "01AAAA-BBBBBB-CCCCCC",
        "sub_account_id": "acme-ml",
        "sub_account_name": "Acme ML",
        "billing_period_start": datetime(2026, 9, 1, 7),  # midnight in California
        "billing_period_end": datetime(2026, 10, 1, 7),
        "charge_period_start": datetime(2026, 9, 3, 7),
        "charge_period_end": datetime(2026, 9, 3, 8),
        "charge_category": "Usage",
        "billed_cost": Decimal("9.8"),
        "effective_cost": Decimal("9.8"),
        "list_cost": Decimal("9.8"),
        "contracted_cost": Decimal("9.8"),
        "consumed_quantity": Decimal(3600),
        "consumed_unit": "seconds",
        "pricing_quantity": Decimal(1),
        "pricing_unit": "hour",
        "pricing_category": "Standard",
        "list_unit_price": Decimal("9.8"),
        "contracted_unit_price": Decimal("9.8"),
        "provider_name": "Google Cloud",
        "service_name": "Compute Engine",
        "sku_meter": "Nvidia H100 80GB GPU running in Americas",
        "region_id": "us-central1",
        "availability_zone": "us-central1-a",
        "resource_id": "//compute.googleapis.com/instance/7",
        "resource_name": "train-1",
        "tags": '{"env":"prod","team":"search"}',
        "x_instance_type": "a3-highgpu-8g",
        "x_purchase_option": "on_demand",
        "x_slice_date": date(2026, 9, 1),
    }
    assert {name: found[name] for name in expected} == expected
    extra = json.loads(found["x_extra"])
    assert extra["project.labels"] == [{"key": "cc", "value": "4100"}]
    assert extra["system_labels"] == [{"key": "compute.googleapis.com/machine_spec", "value": "a3-highgpu-8g"}]
    assert Decimal(extra["currency_conversion_rate"]) == 1
    assert extra["export_time"].startswith("2026-09-03")


@FORMS
def test_each_credit_is_a_negative_line_of_its_own_and_the_sum_is_the_invoice(write) -> None:
    found = rows([write(line(credits=[credit("PROMOTION", -1.25), credit("SUSTAINED_USAGE_DISCOUNT", -0.1)]))])
    assert [(r["charge_category"], r["x_charge_type"], r["billed_cost"], r["x_row"]) for r in found] == [
        ("Usage", "regular", Decimal("9.8"), 1),
        ("Credit", "PROMOTION", Decimal("-1.25"), 2),
        ("Credit", "SUSTAINED_USAGE_DISCOUNT", Decimal("-0.1"), 3),
    ]
    assert total(found) == total(found, "effective_cost") == Decimal("8.45")
    assert {(r["resource_name"], r["sub_account_id"], r["tags"]) for r in found} == {
        ("train-1", "acme-ml", '{"env":"prod","team":"search"}')
    }
    assert {r["consumed_quantity"] for r in found[1:]} == {None}
    assert [r["charge_description"] for r in found[1:]] == ["Full PROMOTION", "Full SUSTAINED_USAGE_DISCOUNT"]


def test_a_list_in_bigquery_s_own_wrapping_is_read_like_any_list() -> None:
    index = SCHEMA.get_field_index("credits")
    entries = SCHEMA.field("credits").type.value_type
    wrapped = pa.struct([("list", pa.list_(pa.struct([("element", entries)])))])
    schema = SCHEMA.set(index, pa.field("credits", wrapped))
    content = parquet(line(credits={"list": [{"element": credit("PROMOTION", -1.25)}]}), schema=schema)
    assert [r["billed_cost"] for r in rows([content])] == [Decimal("9.8"), Decimal("-1.25")]


def test_floats_are_read_as_the_numbers_that_they_were_written_as() -> None:
    costs = [0.1, 0.2, 1.2e-7, 123456.789012, 0.1 + 0.2]
    found = rows([parquet(*(line(cost=cost) for cost in costs))])
    assert [r["billed_cost"] for r in found] == [
        Decimal("0.1"),
        Decimal("0.2"),
        Decimal("0.00000012"),
        Decimal("123456.789012"),
        Decimal("0.3"),  # 0.30000000000000004: rounded to twelve places, and told
    ]
    notices = parsed([parquet(line(cost=0.1 + 0.2))])[-1].notices
    assert "1 lines have a cost with more than 12 decimal places, which was rounded" in notices


def test_taxes_and_rounding_errors_keep_their_kind() -> None:
    found = rows(
        [json_lines(line(cost_type="tax", cost=0.31, sku="Tax"), line(cost_type="rounding_error", cost=-0.01))]
    )
    assert [(r["charge_category"], r["billed_cost"], r["sku_id"], r["pricing_quantity"]) for r in found] == [
        ("Tax", Decimal("0.31"), None, None),
        ("Adjustment", Decimal("-0.01"), "AAAA-0001", None),
    ]
    assert json.loads(found[0]["x_extra"])["sku.id"] == "SKU-Tax"


@pytest.mark.parametrize(
    ("usage_day", "charge_class"), [("2026-08-20", "Correction"), ("2026-09-02", None)], ids=["invoiced", "open"]
)
def test_an_adjustment_of_a_month_that_was_invoiced_is_a_correction(usage_day: str, charge_class: str | None) -> None:
    adjusted = line(
        cost_type="adjustment",
        cost=-9.8,
        usage_start_time=f"{usage_day} 07:00:00 UTC",
        usage_end_time=f"{usage_day} 08:00:00 UTC",
        adjustment_info={
            "id": "adj-1",
            "description": "GPU downtime",
            "type": "USAGE_CORRECTION",
            "mode": "PARTIAL_CORRECTION",
        },
    )
    (found,) = rows([json_lines(adjusted)])
    assert (found["charge_category"], found["charge_class"]) == ("Adjustment", charge_class)
    assert (found["charge_description"], found["x_charge_type"]) == ("GPU downtime", "USAGE_CORRECTION")
    assert json.loads(found["x_extra"])["adjustment_info.mode"] == "PARTIAL_CORRECTION"


def test_late_usage_of_august_is_billed_in_september_and_stays_usage_of_august() -> None:
    late = line(usage_start_time="2026-08-31 05:00:00 UTC", usage_end_time="2026-08-31 06:00:00 UTC")
    (found,) = rows([json_lines(late)])
    assert (found["charge_period_start"], found["x_slice_date"]) == (datetime(2026, 8, 31, 5), date(2026, 9, 1))
    assert (found["charge_category"], found["charge_class"]) == ("Usage", None)


def test_a_line_of_another_invoice_month_is_refused_with_its_cost_and_its_credits() -> None:
    other = line(invoice={"month": "202608"}, credits=[credit("PROMOTION", -1.25)])
    assert rejects([json_lines(line(), other)]) == [
        ("wrong_period", Decimal("9.8")),
        ("wrong_period", Decimal("-1.25")),
    ]


def test_with_any_layout_each_month_takes_its_own_lines() -> None:
    both = json_lines(line(cost=1.0), line(cost=2.0, invoice={"month": "202608"}), line(cost=4.0))
    assert total(rows([both], layout="any")) == 5
    assert total(rows([both], month_window(date(2026, 8, 1)), layout="any")) == 2


BROKEN: list[tuple[dict[str, object], str, Decimal | None]] = [
    ({"cost": None}, "missing_value", None),
    ({"cost": "1,5"}, "unreadable_number", None),
    ({"currency": "EUR"}, "wrong_currency", Decimal("9.8")),
    ({"cost_type": "gift"}, "unknown_cost_type", Decimal("9.8")),
    ({"usage_start_time": "yesterday"}, "unreadable_time", Decimal("9.8")),
    ({"usage_end_time": "2026-09-03 07:00:00 UTC"}, "period_not_forward", Decimal("9.8")),
    ({"billing_account_id": None}, "missing_value", Decimal("9.8")),
]


def test_lines_that_cannot_be_staged_are_refused_and_their_neighbours_are_not() -> None:
    lines = [entry for broken, _, _ in BROKEN for entry in (line(), line(**broken))]
    chunks = parsed([json_lines(*lines)])
    assert [(r.reason, r.cost) for chunk in chunks for r in chunk.rejects] == [(r, cost) for _, r, cost in BROKEN]
    assert [n for chunk in chunks for n in chunk.rows["x_row"].to_pylist()] == list(range(1, 2 * len(BROKEN), 2))


def test_a_line_with_one_unreadable_credit_is_refused_as_a_whole() -> None:
    entry = line(credits=[credit("PROMOTION", -1.25), {**credit("DISCOUNT", 0), "amount": "some"}])
    assert [reason for reason, _ in rejects([json_lines(entry)])] == ["unreadable_number"] * 3


def test_credits_that_are_no_list_refuse_the_line() -> None:
    text = flat_csv(line()).replace(b",[],,2026", b",none,,2026")
    assert rejects([text]) == [("unreadable_credits", Decimal("9.8"))]


def test_labels_as_python_writes_them_are_read() -> None:
    text = flat_csv(line()).replace(
        b'"[{""key"": ""team"", ""value"": ""search""}, ', b"\"[{'key': 'team', 'value': None}, "
    )
    text = text.replace(b'{""key"": ""env"", ""value"": ""prod""}]"', b"{'key': 'env', 'value': 'prod'}]\"")
    (found,) = rows([text])
    assert found["tags"] == '{"env":"prod","team":""}'


def test_labels_that_repeat_or_cannot_be_read_are_kept() -> None:
    twice = line(labels=[{"key": "team", "value": "a"}, {"key": "team", "value": "b"}])
    odd = line(labels="team=a")
    assert [r["tags"] for r in rows([json_lines(twice, odd)])] == ['{"team":"a,b"}', '{"unreadable_labels":"team=a"}']


def test_the_labels_of_kubernetes_are_tags() -> None:
    labels = [{"key": "goog-k8s-cluster-name", "value": "gpu"}, {"key": "k8s-label/app", "value": "vllm"}]
    (found,) = rows([parquet(line(labels=labels))])
    assert json.loads(found["tags"]) == {"goog-k8s-cluster-name": "gpu", "k8s-label/app": "vllm"}


def test_the_parts_of_one_machine_are_one_resource() -> None:
    parts = ["A3 Instance Core running in Americas", "A3 Instance Ram running in Americas", "Nvidia H100 80GB GPU"]
    found = rows([parquet(*(line(sku=sku) for sku in parts))])
    assert {(r["resource_id"], r["x_instance_type"], r["x_purchase_option"]) for r in found} == {
        ("//compute.googleapis.com/instance/7", "a3-highgpu-8g", "on_demand")
    }


def test_a_reservation_that_nobody_used_is_told() -> None:
    def reserved(unused: str) -> dict[str, object]:
        names = {"machine_spec": "a3-highgpu-8g", "reservation_name": "train", "is_unused_reservation": unused}
        return line(system_labels=[{"key": f"compute.googleapis.com/{n}", "value": v} for n, v in names.items()])

    found = rows([json_lines(reserved("true"), reserved("false"), line())])
    assert [(r["capacity_reservation_id"], r["capacity_reservation_status"]) for r in found] == [
        ("train", "Unused"),
        ("train", "Used"),
        (None, None),
    ]


def test_spot_is_read_from_the_description() -> None:
    (found,) = rows([json_lines(line(sku="Nvidia L4 GPU attached to Spot Preemptible VMs running in Iowa"))])
    assert (found["x_purchase_option"], found["pricing_category"]) == ("spot", "Dynamic")


def test_winter_months_begin_an_hour_later() -> None:
    (found,) = rows([json_lines(line(invoice={"month": "202611"}))], month_window(date(2026, 11, 1)))
    assert (found["billing_period_start"], found["billing_period_end"]) == (
        datetime(2026, 11, 1, 7),  # daylight saving still holds on 1 November
        datetime(2026, 12, 1, 8),
    )


def test_the_newest_export_is_told_and_no_month_of_files_is_final() -> None:
    chunks = parsed([json_lines(line(), line(export_time="2026-09-04 01:02:03 UTC"))])
    assert "the newest line was exported at 2026-09-04 01:02:03 UTC" in chunks[-1].notices
    assert not chunks[-1].is_final


def test_a_bill_without_credits_or_currency_is_no_bill() -> None:
    for column in ("credits", "currency", "cost_type"):
        entry = {name: value for name, value in line().items() if name != column}
        with pytest.raises(IncompleteDeliveryError, match=column):
            parsed([json_lines(entry)])
