"""Lines are read exactly, however they are written; what cannot be billed is refused with its payload."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.aws.bedrock import tokens_per_unit
from connectors.base import IncompleteDeliveryError
from contracts import contract
from tests.connectors.aws.bill_reports import (
    LINE,
    PLAN,
    RESERVATION,
    csv_report,
    gz_report,
    line,
    only,
    parquet_report,
    read,
)

D = Decimal
WRITTEN = [csv_report, gz_report, parquet_report]


def bedrock(usage_type: str, unit: str, amount: str = "1250.4", **over: str) -> dict[str, str]:
    return line(
        **{
            "line_item_product_code": "AmazonBedrock",
            "line_item_usage_type": usage_type,
            "line_item_usage_amount": amount,
            "line_item_operation": "InvokeModelInference",
            "pricing_unit": unit,
            "product_instance_type": "",
            "product": "{}",
            **over,
        }
    )


@pytest.mark.parametrize("written", WRITTEN)
def test_a_models_line_counts_tokens_whatever_they_are_priced_by(written: Any) -> None:
    units = {"1K tokens": 1_250_400, "1M tokens": 1_250_400_000, "1000 Tokens": 1_250_400}
    found = read(written(*(bedrock("USE1-Claude4.6Sonnet-input-tokens-batch", unit) for unit in units)))
    for row, (unit, tokens) in zip(found.rows, units.items(), strict=True):
        assert (row["consumed_quantity"], row["consumed_unit"]) == (tokens, "Tokens")
        assert (row["pricing_quantity"], row["pricing_unit"]) == (D("1250.4"), unit)
        assert row["x_model_id"] == "anthropic.claude-sonnet-4-6-v1:0"
        assert (row["x_token_class"], row["x_service_tier"]) == ("input_uncached", "batch")


def test_a_model_of_the_marketplace_is_found_by_its_product() -> None:
    row = only(
        csv_report(
            bedrock(
                "USE1-MP:USE1_CacheReadInputTokenCount-Units",
                "Units",
                amount="2.5",
                bill_billing_entity="AWS Marketplace",
                line_item_product_code="exampleprodcode0claude",
                line_item_line_item_description="AWS Marketplace software usage|us-east-1|Million Cache Read Input Tokens",
                product='{"product_name": "Claude Sonnet 4.5 (Amazon Bedrock Edition)"}',
            )
        )
    )
    assert row["x_model_id"] == "anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert (row["x_token_class"], row["consumed_quantity"], row["consumed_unit"]) == ("cache_read", 2_500_000, "Tokens")


def test_a_models_line_in_a_unit_of_something_else_counts_no_tokens() -> None:
    row = only(csv_report(bedrock("USE1-NovaCanvas-T2I-1024-Standard", "image", amount="3")))
    assert (row["consumed_quantity"], row["consumed_unit"], row["x_token_class"]) == (3, "image", None)


def test_units_of_tokens_are_those_that_price_lists_are_read_by() -> None:
    units = [
        "1K tokens",
        "1M tokens",
        "1000 Tokens",
        "Tokens",
        "1,000 tokens",
        "1000000 tokens",
        "1K token",
        "Hrs",
        "GB",
    ]
    found = read(csv_report(*(bedrock("USE1-Nova2Pro-input-tokens", unit, amount="2") for unit in units)))
    for row, unit in zip(found.rows, units, strict=True):
        factor = tokens_per_unit(unit)
        expected = (2, unit) if factor is None else (2 * factor, "Tokens")
        assert (row["consumed_quantity"], row["consumed_unit"]) == expected


def test_how_the_machine_was_bought_is_read_from_the_usage_type() -> None:
    told = [
        ("BoxUsage:p5en.48xlarge", "p5en.48xlarge", "on_demand", "p5en.48xlarge"),
        ("USW2-SpotUsage:g6.12xlarge", "", "spot", "g6.12xlarge"),
        ("USE2-CapacityBlock:p5.48xlarge", "", "capacity_block", "p5.48xlarge"),
        ("USE1-ProvisionedThroughput-Claude", "", "provisioned", None),
        ("USW2-EBS:VolumeUsage.gp3", "", None, None),
        ("Requests-Tier1", "", None, None),
        ("USE1-ml.p4d.24xlarge-Hosting", "ml.p4d.24xlarge", "on_demand", "ml.p4d.24xlarge"),
    ]
    lines = [line(line_item_usage_type=meter, product_instance_type=instance) for meter, instance, *_ in told]
    found = [(row["x_purchase_option"], row["x_instance_type"]) for row in read(csv_report(*lines)).rows]
    assert found == [(option, machine) for *_, option, machine in told]


def test_the_purchase_of_what_covers_usage_has_the_option_of_that_usage() -> None:
    told = [
        ("SavingsPlanRecurringFee", {"savings_plan_savings_plan_a_r_n": PLAN}, "savings_plan"),
        ("SavingsPlanUpfrontFee", {"savings_plan_savings_plan_a_r_n": PLAN}, "savings_plan"),
        ("RIFee", {"reservation_reservation_a_r_n": RESERVATION}, "reserved"),
        ("Fee", {"reservation_reservation_a_r_n": RESERVATION}, "reserved"),
        ("Fee", {}, None),
        ("Tax", {}, None),
    ]
    found = read(csv_report(*(line(kind, "10", **over) for kind, over, _ in told)))
    assert [row["x_purchase_option"] for row in found.rows] == [option for *_, option in told]


def test_unused_capacity_of_a_reservation_is_told() -> None:
    held = "arn:aws:ec2:us-east-1:1:capacity-reservation/cr-0a1b"
    row = only(
        csv_report(
            line(line_item_resource_id=held, line_item_usage_type="UnusedBox:p5.48xlarge", product_instance_type="")
        )
    )
    assert (row["capacity_reservation_id"], row["capacity_reservation_status"]) == (held, "Unused")
    assert row["x_instance_type"] == "p5.48xlarge"


HELD = "arn:aws:ec2:us-east-1:444455556666:capacity-reservation/cr-0a1b"


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(("said", "status"), [("Used", "Used"), ("Unused", "Unused"), ("Reserved", None)])
def test_a_machine_that_runs_in_a_capacity_reservation_names_it(written: Any, said: str, status: str | None) -> None:
    found = read(written(_in_capacity(HELD, said, "ODCR"), _in_capacity("", "", "")))
    inside, outside = found.rows
    assert (inside["capacity_reservation_id"], inside["capacity_reservation_status"]) == (HELD, status)
    assert inside["resource_id"] == LINE["line_item_resource_id"]
    kept = json.loads(inside["x_extra"] or "{}")
    assert kept == ({} if status else {"capacity_reservation_status": "Reserved"})
    assert (outside["capacity_reservation_id"], outside["capacity_reservation_status"]) == (None, None)
    assert not any("documented" in notice for notice in found.notices)
    assert inside["x_purchase_option"] == outside["x_purchase_option"] == "on_demand"


def test_a_capacity_block_is_told_by_the_type_of_its_reservation() -> None:
    block = "EC2 Capacity Blocks for ML"
    lines = [_in_capacity(HELD, "Used", block), {**_in_capacity(HELD, "", block), "line_item_line_item_type": "Fee"}]
    found = read(csv_report(*lines))
    assert [row["x_purchase_option"] for row in found.rows] == ["capacity_block", "capacity_block"]


def _in_capacity(arn: str, status: str, kind: str) -> dict[str, str]:
    told = {"arn": arn, "status": status, "type": kind}
    return {**line(), **{f"capacity_reservation_capacity_reservation_{name}": value for name, value in told.items()}}


def _variety() -> list[dict[str, str]]:
    return [
        line(),
        line(cost="0.0010569617", line_item_usage_amount="0.0000000025"),
        line(cost="123456.7891234567", cost_category='{"unit": "ml", "stage": "prod"}'),
        line(cost="1.2E-07", resource_tags='{"user_team": "caf\\u00e9 \\"x\\"", "user_env": "prod"}'),
        line("Credit", "-10", line_item_resource_id=""),
        line("Tax", "0.55", line_item_tax_type="USSalesTax", product="{}", resource_tags="{}"),
        line("SavingsPlanCoveredUsage", "55.04", savings_plan_savings_plan_effective_cost="31.464"),
        bedrock("USE1-Nova2Pro-output-tokens", "1K tokens", line_item_iam_principal="arn:aws:sts::1:assumed-role/a/b"),
        line(tags='{"iamPrincipal/team": "search", "resourceTag/user_team": "stale"}'),
    ]


def test_parquet_with_its_types_gives_the_rows_of_the_csv_line_by_line() -> None:
    of_csv, of_parquet = read(csv_report(*_variety())), read(parquet_report(*_variety()))
    for left, right in zip(of_csv.rows, of_parquet.rows, strict=True):
        assert {k: v for k, v in left.items() if k != "x_page"} == {k: v for k, v in right.items() if k != "x_page"}
    assert of_csv.notices == of_parquet.notices


def test_the_order_and_the_spelling_of_columns_say_nothing() -> None:
    turned = [dict(reversed(entry.items())) for entry in _variety()]
    legacy = csv_report(*_variety()).decode().replace("line_item_unblended_cost", "lineItem/UnblendedCost", 1).encode()
    expected = [{**row, "x_page": None} for row in read(csv_report(*_variety())).rows]
    for content in (csv_report(*turned), legacy):
        assert [{**row, "x_page": None} for row in read(content).rows] == expected


def test_a_report_that_begins_with_a_byte_order_mark_is_read() -> None:
    assert only(b"\xef\xbb\xbf" + csv_report(line()))["billed_cost"] == D("98.32")


@pytest.mark.parametrize(
    "column",
    ["line_item_unblended_cost", "line_item_line_item_type", "line_item_currency_code", "line_item_usage_start_date"],
)
def test_a_report_without_a_column_that_money_hangs_on_is_incomplete(column: str) -> None:
    kept = {name: value for name, value in LINE.items() if name != column}
    with pytest.raises(IncompleteDeliveryError, match="it has no column"):
        read(csv_report(kept))


def test_a_column_twice_is_incomplete() -> None:
    header, record = csv_report(line()).decode().splitlines()
    with pytest.raises(IncompleteDeliveryError, match="the same one"):
        read(f"{header},LineItem/UnblendedCost\n{record},7\n".encode())


def test_a_file_without_the_columns_that_not_every_export_has_is_read() -> None:
    wanted = ("line_item_", "bill_", "identity_time")
    short = {name: value for name, value in LINE.items() if name.startswith(wanted) and "_net_" not in name}
    row = only(csv_report(short))
    assert (row["billed_cost"], row["effective_cost"], row["list_cost"], row["tags"]) == (
        D("98.32"),
        D("98.32"),
        None,
        None,
    )
    assert row["service_name"] == "AmazonEC2"


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"line_item_currency_code": "EUR"}, "wrong_currency"),
    ({"line_item_currency_code": ""}, "missing_value"),
    ({"line_item_unblended_cost": ""}, "missing_value"),
    ({"line_item_unblended_cost": "1,234.50"}, "unreadable_number"),
    ({"line_item_unblended_cost": "$5"}, "unreadable_number"),
    ({"line_item_unblended_cost": "1e400"}, "unreadable_number"),
    ({"line_item_usage_start_date": "yesterday"}, "unreadable_time"),
    ({"line_item_usage_end_date": "9999-01-01T00:00:00Z"}, "unreadable_time"),
    ({"bill_billing_period_start_date": "2026-08-01T00:00:00Z"}, "wrong_period"),
    ({"bill_payer_account_id": ""}, "missing_value"),
]


def test_a_line_that_cannot_be_billed_is_refused_with_its_payload_and_the_others_are_kept() -> None:
    bad = [{**LINE, **over, "line_item_resource_id": f"i-{n}"} for n, (over, _) in enumerate(REFUSED)]
    found = read(csv_report(line(), *bad, line(cost="1")))
    assert [(row["billed_cost"], row["x_row"]) for row in found.rows] == [(D("98.32"), 1), (D(1), len(bad) + 2)]
    assert [reject.reason for reject in found.rejects] == [reason for _, reason in REFUSED]
    assert [reject.row for reject in found.rejects] == list(range(2, len(bad) + 2))
    payloads = [json.loads(reject.payload)["line_item_resource_id"] for reject in found.rejects]
    assert payloads == [f"i-{n}" for n in range(len(bad))]
    costs: list[Decimal | None] = [D("98.32")] * 10
    costs[2:6] = [None] * 4
    assert [reject.cost for reject in found.rejects] == costs
    assert [reject.currency for reject in found.rejects] == ["EUR", *[None] * 9]  # adds up with nothing of ours
    assert not found.is_final


def test_a_charge_of_one_instant_has_the_interval_that_it_was_billed_in() -> None:
    at = "2026-09-03T00:00:00.000Z"
    row = only(csv_report(line("Fee", "5", line_item_usage_start_date=at, line_item_usage_end_date=at)))
    assert row["charge_period_end"] == datetime(2026, 9, 3, 1)


def test_what_is_bought_once_has_its_invoice_at_once_and_makes_no_month_final() -> None:
    bought = {"bill_bill_type": "Purchase", "bill_invoice_id": "I-1"}
    upfront = line("Fee", "8640", reservation_reservation_a_r_n=RESERVATION, **bought)
    tax = line("Tax", "1641.60", **bought)
    refund = line("Refund", "-10", **{**bought, "bill_bill_type": "Refund"})
    only_bought = read(csv_report(upfront, tax, refund))
    assert not only_bought.is_final
    assert [notice for notice in only_bought.notices if "the month's own invoice is not among them" in notice]
    for own in (line(bill_invoice_id="I-2"), line("RIFee", bill_invoice_id="I-2", pricing_term="Reserved")):
        assert read(csv_report(upfront, own)).is_final
    assert not read(csv_report(upfront, line())).is_final


def test_the_bill_is_final_when_every_line_bears_an_invoice_and_not_only_the_first() -> None:
    invoiced, open_line = line(bill_invoice_id="2026-1"), line()
    assert read(csv_report(invoiced, invoiced)).is_final
    assert not read(csv_report(invoiced, open_line)).is_final
    assert not read(csv_report(open_line, invoiced)).is_final
    assert not read(csv_report(invoiced), csv_report(invoiced, open_line)).is_final


def test_hostile_tags_stay_what_they_are() -> None:
    hostile = [
        '{"user_team": "=cmd|\' /C calc\'!A0"}',
        '{"user_team": "<script>alert(1)</script>", "user_env": ""}',
        '{"user_team": "a\\u0000b\\u202ec"}',
        '{"user_team": "' + "x" * 100_000 + '"}',
        '{"user\\"team": "q\'uote;,\\nline"}',
    ]
    found = read(csv_report(*(line(resource_tags=tags) for tags in hostile)))
    kept = [{key: value for key, value in json.loads(tags).items() if value} for tags in hostile]
    assert [json.loads(row["tags"]) for row in found.rows] == kept


def test_tags_that_are_no_tags_are_left_out_and_the_line_is_kept() -> None:
    found = read(csv_report(*(line(resource_tags=broken) for broken in ("not json", "[1]", '"text"', "{"))))
    assert ["unreadable" in (row["x_extra"] or "") for row in found.rows] == [True, False, False, True]
    assert any(notice.startswith("2 lines hold tags that are no JSON") for notice in found.notices)
    assert [(row["tags"], row["billed_cost"]) for row in found.rows] == [(None, D("98.32"))] * 4


def test_tags_of_both_columns_are_one_set_and_those_of_the_resource_win() -> None:
    row = only(
        csv_report(
            line(
                resource_tags='{"user_team": "search"}',
                tags='{"resourceTag/user_team": "stale", "resourceTag/user_env": "prod", "iamPrincipal/role": "api"}',
            )
        )
    )
    assert json.loads(row["tags"]) == {"user_team": "search", "user_env": "prod", "iamPrincipal/role": "api"}


@pytest.mark.parametrize(
    ("product", "service", "is_kept"),
    [
        ('{"product_name": "Amazon EC2"}', "Amazon EC2", False),
        ("{'product_name': 'Amazon EC2'}", "Amazon EC2", False),  # as Python writes it
        ("", "AmazonEC2", False),
        ("{}", "AmazonEC2", False),
        ("{'product_name': \"Amazon's EC2\"}", "AmazonEC2", True),
        ("Amazon EC2", "AmazonEC2", True),
    ],
)
def test_a_product_in_any_writing_keeps_the_line_and_is_told_where_it_is_unreadable(
    product: str, service: str, is_kept: bool
) -> None:
    found = read(csv_report(line(product=product), line()))
    assert [row["service_name"] for row in found.rows] == [service, "Amazon Elastic Compute Cloud"]
    assert found.total() == D("196.64")
    extra = json.loads(found.rows[0]["x_extra"] or "{}")
    assert extra == ({"unreadable product": product} if is_kept else {})
    assert any(notice.startswith("1 lines name their product") for notice in found.notices) is is_kept


ADA = "arn:aws:sts::1:assumed-role/ml/ada@acme.example"


def test_cost_categories_are_kept() -> None:
    row = only(csv_report(line(cost_category='{"unit": "ml"}')))
    assert json.loads(row["x_extra"]) == {"cost_category": {"unit": "ml"}}


@pytest.mark.parametrize("written", WRITTEN)
def test_who_made_the_requests_is_neither_staged_nor_kept_with_a_refused_line(written: Any) -> None:
    who = {
        "line_item_iam_principal": ADA,
        "line_item_user_identifier": "ada-of-the-workforce",
        "identity_user_name": "ada",
        "a_new_column": "new",
    }
    found = read(written({**line(), **who}, {**line(line_item_currency_code="EUR"), **who}))
    (row,), (reject,) = found.rows, found.rejects
    assert json.loads(row["x_extra"]) == {"a_new_column": "new"}
    payload = json.loads(reject.payload)
    assert {"line_item_currency_code": "EUR", "a_new_column": "new"}.items() <= payload.items()
    assert "ada" not in f"{row}{reject}"
    assert any(notice.endswith("left out as they name people: identity_user_name") for notice in found.notices)


@pytest.mark.parametrize("who", [ADA, "arn:aws:iam::1:user/ada,acme"])
def test_a_malformed_record_is_kept_without_its_principal(who: str) -> None:
    whole = csv_report(line(line_item_resource_id="i-odd", line_item_iam_principal=who))
    found = read(whole.rstrip(b"\n") + b",one,more\n" + csv_report(line()).splitlines(keepends=True)[1])
    (reject,) = found.rejects
    assert reject.reason == "malformed_record"
    assert "i-odd" in reject.payload
    assert "ada" not in f"{reject}"


def test_the_name_tag_of_a_machine_names_nobody() -> None:
    found = read(csv_report({**line(line_item_currency_code="EUR"), "resourceTags/user:Name": "train-1"}))
    assert json.loads(found.rejects[0].payload)["resourceTags/user:Name"] == "train-1"


def test_an_unreadable_list_cost_is_left_out_kept_and_told() -> None:
    found = read(csv_report(line(pricing_public_on_demand_cost="convertible")))
    assert found.rows[0]["list_cost"] is None
    assert "convertible" in found.rows[0]["x_extra"]
    assert any("no number" in notice for notice in found.notices)


def test_more_than_twelve_decimal_places_are_rounded_and_told() -> None:
    found = read(csv_report(line(cost="10.799999999999999"), line(cost="1.5")))
    assert [row["billed_cost"] for row in found.rows] == [D("10.8"), D("1.5")]
    assert any(notice.startswith("1 billed costs with more than 12") for notice in found.notices)


def test_two_files_are_one_delivery_and_an_empty_one_adds_nothing() -> None:
    found = read(
        csv_report(line()), csv_report(line(cost="1")), csv_report(line(cost="2")).splitlines(keepends=True)[0]
    )
    assert found.total() == D("99.32")


def test_a_month_without_lines_is_no_final_bill() -> None:
    assert not read(csv_report(line()).splitlines(keepends=True)[0], month=date(2026, 9, 1)).is_final


def test_rows_are_the_contracts() -> None:
    assert list(only(csv_report(line()))) == [column.name for column in contract("charges").columns]
