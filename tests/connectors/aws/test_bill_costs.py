"""Every type of line has the effective cost that AWS' own amortisation gives it; commitments add up exactly."""

from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.aws.bill_reports import PLAN, RESERVATION, csv_report, line, only, parquet_report, read

D = Decimal
COVERED: dict[str, str] = {
    "savings_plan_savings_plan_a_r_n": PLAN,
    "savings_plan_savings_plan_effective_cost": "31.464",
    "savings_plan_offering_type": "ComputeSavingsPlans",
    "savings_plan_payment_option": "No Upfront",
    "savings_plan_purchase_term": "3yr",
}
FEE: dict[str, str] = {
    "savings_plan_savings_plan_a_r_n": PLAN,
    "savings_plan_total_commitment_to_date": "40",
    "savings_plan_used_commitment": "31.464",
    "savings_plan_start_time": "2026-01-01T00:00:00.000Z",
    "savings_plan_end_time": "2029-01-01T00:00:00.000Z",
    "savings_plan_payment_option": "Partial Upfront",
}
RI_FEE: dict[str, str] = {
    "reservation_reservation_a_r_n": RESERVATION,
    "reservation_amortized_upfront_fee_for_billing_period": "600",
    "reservation_unused_amortized_upfront_fee_for_billing_period": "50",
    "reservation_unused_recurring_fee": "30.5",
    "pricing_purchase_option": "Partial Upfront",
    "pricing_lease_contract_length": "1yr",
    "pricing_offering_class": "standard",
}


EFFECTIVE: list[tuple[str, str, dict[str, str], str]] = [
    ("Usage", "98.32", {}, "98.32"),
    ("SavingsPlanCoveredUsage", "55.04", COVERED, "31.464"),
    ("SavingsPlanNegation", "-55.04", {"savings_plan_savings_plan_a_r_n": PLAN}, "0"),
    ("SavingsPlanRecurringFee", "20", FEE, "8.536"),  # 40 committed, 31.464 used
    ("SavingsPlanUpfrontFee", "5000", {"savings_plan_savings_plan_a_r_n": PLAN}, "0"),
    ("DiscountedUsage", "0", {"reservation_effective_cost": "19.77"}, "19.77"),
    ("RIFee", "400", RI_FEE, "80.5"),  # 50 of the upfront fee and 30.5 of the recurring one
    ("Fee", "7200", {"reservation_reservation_a_r_n": RESERVATION}, "0"),
    ("Fee", "100", {}, "100"),
    ("Tax", "0.55", {}, "0.55"),
    ("Credit", "-10", {}, "-10"),
    ("Refund", "-3.2", {}, "-3.2"),
    ("EdpDiscount", "-4.4", {}, "-4.4"),
    ("PrivateRateDiscount", "-0.1", {}, "-0.1"),
    ("BundledDiscount", "-0.2", {}, "-0.2"),
    ("FlatRateSubscription", "15", {}, "15"),
    ("SomethingNew", "1.5", {}, "1.5"),
]


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_every_type_of_line_has_its_billed_and_its_effective_cost(written: Any) -> None:
    found = read(written(*(line(kind, cost, **over) for kind, cost, over, _ in EFFECTIVE)))
    costs = [(row["x_charge_type"], row["billed_cost"], row["effective_cost"]) for row in found.rows]
    assert costs == [(kind, D(cost), D(effective)) for kind, cost, _, effective in EFFECTIVE]


def test_every_type_of_line_has_its_category() -> None:
    expected: list[tuple[str, str, str | None, str | None]] = [
        ("Usage", "Usage", "Usage-Based", None),
        ("SavingsPlanCoveredUsage", "Usage", "Usage-Based", None),
        ("SavingsPlanNegation", "Usage", "Usage-Based", None),
        ("DiscountedUsage", "Usage", "Usage-Based", None),
        ("SavingsPlanRecurringFee", "Purchase", "Recurring", None),
        ("RIFee", "Purchase", "Recurring", None),
        ("SavingsPlanUpfrontFee", "Purchase", "One-Time", None),
        ("Fee", "Purchase", "One-Time", None),
        ("FlatRateSubscription", "Purchase", "Recurring", None),
        ("Tax", "Tax", None, None),
        ("Credit", "Credit", "One-Time", None),
        ("Refund", "Adjustment", "One-Time", "Correction"),
        ("EdpDiscount", "Adjustment", None, None),
    ]
    found = read(csv_report(*(line(kind, "1") for kind, *_ in expected)))
    columns = ("x_charge_type", "charge_category", "charge_frequency", "charge_class")
    assert [tuple(row[column] for column in columns) for row in found.rows] == expected


def test_a_refunding_bill_corrects_whatever_its_lines_are_called() -> None:
    assert only(csv_report(line("Usage", "-5", bill_bill_type="Refund")))["charge_class"] == "Correction"


def test_covered_usage_shows_its_commitment_and_its_prices() -> None:
    row = only(csv_report(line("SavingsPlanCoveredUsage", "55.04", pricing_public_on_demand_cost="60", **COVERED)))
    assert row["list_cost"] == D("60")
    assert row["contracted_cost"] == D("55.04")
    assert row["commitment_discount_id"] == PLAN
    assert row["commitment_discount_status"] == "Used"
    assert row["commitment_discount_type"] == "ComputeSavingsPlans"
    assert row["commitment_discount_category"] == "Spend"
    assert row["commitment_discount_name"] == "ComputeSavingsPlans 3yr No Upfront"
    assert (row["commitment_discount_quantity"], row["commitment_discount_unit"]) == (D("31.464"), "USD")
    assert (row["pricing_category"], row["x_purchase_option"]) == ("Committed", "savings_plan")
    assert row["x_commitment_payment"] == "no_upfront"
    assert row["x_commitment_cost"] is None


def test_the_negation_of_covered_usage_counts_in_no_total_but_the_billed_one() -> None:
    row = only(csv_report(line("SavingsPlanNegation", "-55.04", savings_plan_savings_plan_a_r_n=PLAN)))
    assert row["commitment_discount_id"] == PLAN
    assert row["commitment_discount_status"] is None
    assert [row[c] for c in ("list_cost", "contracted_cost", "consumed_quantity", "x_commitment_cost")] == [None] * 4


def test_the_fee_of_a_plan_states_its_purchase_and_what_nobody_used() -> None:
    row = only(csv_report(line("SavingsPlanRecurringFee", "20", **FEE)))
    assert (row["commitment_discount_status"], row["x_commitment_cost"]) == ("Unused", D("40"))
    assert str(row["x_commitment_start"]) == "2026-01-01 00:00:00"
    assert str(row["x_commitment_end"]) == "2029-01-01 00:00:00"
    assert row["x_commitment_payment"] == "partial_upfront"
    assert row["list_cost"] is None


def test_the_fee_of_a_reservation_states_its_purchase_and_what_nobody_used() -> None:
    row = only(csv_report(line("RIFee", "400", **RI_FEE)))
    assert (row["commitment_discount_id"], row["commitment_discount_status"]) == (RESERVATION, "Unused")
    assert (row["x_commitment_cost"], row["commitment_discount_category"]) == (D("1000"), "Usage")
    assert (row["commitment_discount_type"], row["x_commitment_payment"]) == ("Reserved Instance", "partial_upfront")
    assert row["commitment_discount_name"] == "1yr standard Partial Upfront"


@pytest.mark.parametrize(("option", "purchase"), [("All Upfront", None), ("", None), ("No Upfront", D(400))])
def test_a_reservations_purchase_is_unknown_where_its_upfront_part_is(option: str, purchase: Decimal | None) -> None:
    fee = {**RI_FEE, "pricing_purchase_option": option, "reservation_amortized_upfront_fee_for_billing_period": ""}
    found = read(csv_report(line("RIFee", "400", **fee)))
    assert (found.rows[0]["x_commitment_cost"], found.rows[0]["billed_cost"]) == (purchase, D(400))
    told = [notice for notice in found.notices if "what was purchased is unknown" in notice]
    assert len(told) == (purchase is None)


@pytest.mark.parametrize("written", [csv_report, parquet_report])
@pytest.mark.parametrize(
    ("commitment", "gross", "net", "reduced"),
    [
        ("30", "3", "2", "20"),  # two thirds are no binary fraction
        ("1", "3", "2", "0.666666666667"),
        ("123456.789", "3", "2", "82304.526"),  # two thirds to sixteen digits are 4e-12 off
        ("7", "7000000000", "7000000000.000000000007", "7"),  # 7.000000000000000000007
    ],
)
def test_a_plans_commitment_is_reduced_in_the_exact_proportion_of_its_month(
    commitment: str, gross: str, net: str, reduced: str, written: Any
) -> None:
    fee = {
        **FEE,
        "savings_plan_total_commitment_to_date": commitment,
        "savings_plan_used_commitment": "0",
        "savings_plan_recurring_commitment_for_billing_period": gross,
        "savings_plan_net_recurring_commitment_for_billing_period": net,
    }
    row = only(written(line("SavingsPlanRecurringFee", "1", line_item_net_unblended_cost="1", **fee)))
    assert (row["x_commitment_cost"], row["effective_cost"]) == (D(reduced), D(reduced))


def _plan_hour(hour: int, used: str, *covered: str) -> list[dict[str, str]]:
    """One hour of a plan of 10 an hour, and what it covered."""
    when = {
        "line_item_usage_start_date": f"2026-09-03T{hour:02}:00:00.000Z",
        "line_item_usage_end_date": f"2026-09-03T{hour + 1:02}:00:00.000Z",
        "savings_plan_savings_plan_a_r_n": PLAN,
    }
    totals = {"savings_plan_total_commitment_to_date": "10", "savings_plan_used_commitment": used}
    lines = [line("SavingsPlanRecurringFee", "10", **when, **totals)]
    for cost in covered:
        price = str(D(cost) * 2)
        lines.append(
            line("SavingsPlanCoveredUsage", price, **when, savings_plan_savings_plan_effective_cost=cost)  # type: ignore[arg-type]
        )
        lines.append(line("SavingsPlanNegation", f"-{price}", **when))
    return lines


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_of_every_plan_and_hour_used_and_unused_make_up_the_purchase(written: Any) -> None:
    lines = [*_plan_hour(0, "10", "3.3333333333", "6.6666666667"), *_plan_hour(1, "4.1", "4.1"), *_plan_hour(2, "0")]
    found = read(written(*lines))
    hours = {row["charge_period_start"] for row in found.rows}
    assert len(hours) == 3
    for hour in hours:
        used = found.total("effective_cost", charge_period_start=hour, commitment_discount_status="Used")
        unused = found.total("effective_cost", charge_period_start=hour, commitment_discount_status="Unused")
        assert used + unused == found.total("x_commitment_cost", charge_period_start=hour) == D(10)
    assert found.total("effective_cost") == found.total("billed_cost") == D(30)


def test_of_every_reservation_and_month_used_and_unused_make_up_the_purchase() -> None:
    used = [
        line(
            "DiscountedUsage",
            "0",
            reservation_reservation_a_r_n=RESERVATION,
            reservation_effective_cost=cost,
            line_item_usage_start_date=f"2026-09-{day:02}T00:00:00.000Z",
            line_item_usage_end_date=f"2026-09-{day:02}T01:00:00.000Z",
        )
        for day, cost in ((3, "500.25"), (4, "419.25"))
    ]
    found = read(csv_report(line("RIFee", "400", **RI_FEE), *used))
    spent = found.total("effective_cost", commitment_discount_status="Used")
    assert spent + found.total("effective_cost", commitment_discount_status="Unused") == D(1000)
    assert found.total("x_commitment_cost") == D(1000)


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_under_negotiated_discounts_the_net_numbers_are_what_is_billed(written: Any) -> None:
    lines = [
        line(cost="100", line_item_net_unblended_cost="90"),
        line("EdpDiscount", "-10", line_item_net_unblended_cost="0"),
        line(
            "SavingsPlanCoveredUsage",
            "50",
            line_item_net_unblended_cost="45",
            savings_plan_savings_plan_a_r_n=PLAN,
            savings_plan_savings_plan_effective_cost="20",
            savings_plan_net_savings_plan_effective_cost="18",
        ),
        line("SavingsPlanNegation", "-50", line_item_net_unblended_cost="-45", savings_plan_savings_plan_a_r_n=PLAN),
        line(
            "SavingsPlanRecurringFee",
            "30",
            line_item_net_unblended_cost="27",
            savings_plan_savings_plan_a_r_n=PLAN,
            savings_plan_total_commitment_to_date="30",
            savings_plan_used_commitment="20",
            savings_plan_recurring_commitment_for_billing_period="21600",
            savings_plan_net_recurring_commitment_for_billing_period="19440",
        ),
        line("EdpDiscount", "-3", line_item_net_unblended_cost="0"),
    ]
    found = read(written(*lines))
    assert [row["billed_cost"] for row in found.rows] == [D(n) for n in (90, 0, 45, -45, 27, 0)]
    assert [row["effective_cost"] for row in found.rows] == [D(n) for n in (90, 0, 18, 0, 9, 0)]
    assert found.total("x_commitment_cost") == D(27)
    assert found.total("effective_cost") == found.total("billed_cost") == D(117)
    reduced = "1 fees of savings plans were reduced as their plan's month is: they state no net commitment"
    assert reduced in found.notices
    assert (
        reduced
        not in read(
            written(*(row for row in lines if row["line_item_line_item_type"] != "SavingsPlanRecurringFee"))
        ).notices
    )


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_a_discount_without_a_net_cost_is_in_the_net_costs_of_others_or_else_billed_itself(written: Any) -> None:
    discount = line("EdpDiscount", "-10", line_item_net_unblended_cost="")
    netted = read(written(line(cost="100", line_item_net_unblended_cost="90"), discount))
    assert netted.total("billed_cost") == netted.total("effective_cost") == Decimal(90)
    gross = read(written(line(cost="100", line_item_net_unblended_cost=""), discount))
    assert gross.total("billed_cost") == gross.total("effective_cost") == Decimal(90)


def test_a_net_cost_of_zero_that_no_discount_explains_is_an_export_without_net_costs() -> None:
    row = only(parquet_report(line(cost="100", line_item_net_unblended_cost="0")))
    assert row["billed_cost"] == D(100)
    free = line(cost="100", line_item_net_unblended_cost="0", discount_total_discount="-100")
    assert only(parquet_report(free))["billed_cost"] == D(0)


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_a_net_cost_of_zero_is_what_is_billed_where_another_line_has_a_net_cost(written: Any) -> None:
    free, paid = line(cost="5", line_item_net_unblended_cost="0"), line(cost="5", line_item_net_unblended_cost="4")
    for files in ([written(free, paid)], [written(free), written(paid)]):  # of one delivery, in one file or in two
        found = read(*files)
        assert [row["billed_cost"] for row in found.rows] == [D(0), D(4)]
        assert [row["effective_cost"] for row in found.rows] == [D(0), D(4)]
        assert any(
            notice.startswith("1 lines have a net cost of 0 beside a cost: billed as") for notice in found.notices
        )


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_net_costs_of_zero_throughout_are_told_as_unfilled(written: Any) -> None:
    found = read(written(line(cost="5", line_item_net_unblended_cost="0"), line(cost="4")))
    assert found.total() == D(9)
    assert any(notice.startswith("1 lines have a net cost of 0 beside a cost: billed at") for notice in found.notices)


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_covered_usage_that_is_given_away_costs_nothing_where_net_costs_are_filled(written: Any) -> None:
    free = {**COVERED, "savings_plan_net_savings_plan_effective_cost": "0", "line_item_net_unblended_cost": "0"}
    lines = [line("SavingsPlanCoveredUsage", "55.04", **free), line(cost="5", line_item_net_unblended_cost="4")]
    assert [row["effective_cost"] for row in read(written(*lines)).rows] == [D(0), D(4)]


def test_commitments_without_amortised_costs_keep_their_billed_cost_and_are_told() -> None:
    found = read(
        csv_report(line("DiscountedUsage", "0"), line("RIFee", "300", reservation_reservation_a_r_n=RESERVATION))
    )
    assert [row["effective_cost"] for row in found.rows] == [D(0), D(300)]
    assert any(notice.startswith("2 lines of commitments state no amortised cost") for notice in found.notices)


def test_a_list_cost_of_zero_beside_a_cost_is_unknown() -> None:
    told = [("1.8", "0", None), ("1.8", "", None), ("0", "0", D(0)), ("0", "2.5", D("2.5")), ("1.8", "2.5", D("2.5"))]
    found = read(csv_report(*(line(cost=cost, pricing_public_on_demand_cost=listed) for cost, listed, _ in told)))
    assert [row["list_cost"] for row in found.rows] == [expected for *_, expected in told]


def _pod(**over: str) -> dict[str, str]:
    values = {
        "line_item_operation": "EKSPod-EC2",
        "line_item_product_code": "AmazonEKS",
        "line_item_resource_id": "arn:aws:eks:us-east-1:444455556666:pod/ml/inference/vllm-0/0a1b",
        "line_item_usage_type": "USE1-EKS-EC2-Accelerator-Hours",
        "line_item_usage_amount": "4",
        "pricing_unit": "",
        "pricing_public_on_demand_cost": "",
        "product_instance_type": "",
        "resource_tags": '{"aws:eks:namespace": "inference", "aws:eks:cluster-name": "ml"}',
        "split_line_item_parent_resource_id": "i-0aaaaaaaaaaaaaaa1",
        "split_line_item_split_cost": "14.1588",
        "split_line_item_unused_cost": "2.5",
        "split_line_item_reserved_usage": "4",
        "split_line_item_actual_usage": "1.5",
    }
    return line("Usage", **{"cost": "0", **values, **over})


@pytest.mark.parametrize("written", [csv_report, parquet_report])
def test_a_pods_share_of_a_machine_adds_to_no_total(written: Any) -> None:
    row = only(written(_pod()))
    assert (row["billed_cost"], row["effective_cost"], row["list_cost"], row["contracted_cost"]) == (0, 0, None, None)
    assert row["x_split_parent_resource_id"] == "i-0aaaaaaaaaaaaaaa1"
    assert (row["x_split_cost"], row["x_split_unused_cost"]) == (D("14.1588"), D("2.5"))
    assert row["resource_id"] == "arn:aws:eks:us-east-1:444455556666:pod/ml/inference/vllm-0/0a1b"
    assert row["tags"] == '{"aws:eks:cluster-name":"ml","aws:eks:namespace":"inference"}'
    assert (row["consumed_quantity"], row["consumed_unit"]) == (D(4), "Accelerator-Hours")
    assert row["x_purchase_option"] is None


@pytest.mark.parametrize(
    ("operation", "costs"),
    [("EKSPod-EC2", (D("14.1588"), 0)), ("ECSTask-EC2", (D("14.1588"), 0)), ("EKSPod", (None, 0))],
)
def test_an_export_without_resource_ids_tells_a_share_by_its_operation(operation: str, costs: tuple[Any, int]) -> None:
    """It names no parent; no page of AWS's says what marks a share there, its own dashboards take these operations."""
    row = only(csv_report(_pod(line_item_operation=operation, split_line_item_parent_resource_id="")))
    assert (row["x_split_cost"], row["effective_cost"]) == costs


def test_a_task_on_fargate_is_no_share_of_a_machine_and_costs_what_it_costs() -> None:
    told = {
        "line_item_operation": "FargateTask",
        "line_item_product_code": "AmazonECS",
        "line_item_usage_type": "USE1-Fargate-vCPU-Hours:perCPU",
        "split_line_item_split_cost": "0.04048",
        "split_line_item_actual_usage": "0.25",
    }
    row = only(csv_report(line("Usage", cost="0.04048", **told)))
    assert (row["billed_cost"], row["effective_cost"], row["x_split_cost"]) == (D("0.04048"), D("0.04048"), None)


def test_pods_and_what_none_of_them_used_make_up_the_machine_and_are_counted_once() -> None:
    machine = line(cost="10")
    shares = [_pod(split_line_item_split_cost=used, split_line_item_unused_cost=unused) for used, unused in SHARES]
    found = read(csv_report(machine, *shares))
    assert (found.total(), found.total("effective_cost")) == (D(10), D(10))
    assert found.total("x_split_cost") + found.total("x_split_unused_cost") == D(10)


SHARES = [("5.04", "1.26"), ("2.52", "0.63"), ("0.44", "0.11")]
"""Of an hour for 10: 8 used, and 2 of nobody, given to the pods as what they used (AWS's own example has that form)."""


def test_a_pods_share_without_a_cost_column_filled_costs_nothing() -> None:
    assert only(csv_report(_pod(cost="")))["billed_cost"] == 0


def test_a_pods_share_that_carries_a_cost_is_refused() -> None:
    found = read(csv_report(_pod(cost="0.5")))
    assert found.rows == []
    (reject,) = found.rejects
    assert (reject.reason, reject.cost) == ("split_line_with_cost", D("0.5"))
