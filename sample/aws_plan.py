"""AWS' savings plan: the fee of every hour, the machine that it covers, and the pods that share the machine's hours.

The plan was bought in August, half of it paid upfront: an hour of it is worth twice what its invoice asks for.

Here belongs: lines of EC2 machines and of the plan. Here does not belong: how AWS writes them.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

from sample.company import AWS_PAYER, SEARCH_AWS_ACCOUNT
from sample.lines import ONE_HOUR, Commitment, Line

AWS = "AWS"
PLAN = "arn:aws:savingsplans::111122223333:savingsplan/5e0f1c7a-2b43-4d1e-9a55-7c1d2e3f4a5b"
PLAN_USD_PER_HOUR, PLAN_BILLED_USD_PER_HOUR = Decimal("3.5"), Decimal("1.75")
PLAN_RATE, ON_DEMAND_RATE = Decimal("3.31"), Decimal("4.6016")
_MACHINE, _MACHINE_TYPE = "i-0a1f3c5e7092b4d68", "g6.12xlarge"
_COVERED_HOURS = range(6, 22)
_FIRST_SPLIT_DAY = date(2026, 10, 26)

# Two pods share the machine's hour. For each: reserved, what the machine has, their cost, their part of what is unused.
_PODS = ("ranker-0", "ranker-1")
_SPLIT: Mapping[str, tuple[str, ...]] = {
    "Accelerator-Hours": ("2 4 1.2 0.4", "1 4 0.6 0.2"),
    "vCPU-Hours": ("16 48 0.24 0.24", "8 48 0.12 0.12"),
    "GB-Hours": ("96 192 0.095 0", "96 192 0.095 0"),
}


def plan_lines(day: date, hour: int) -> Iterator[Line]:
    """The hour's fee; while the machine runs also its usage, covered and taken off again, and its pods' shares."""
    start = datetime.combine(day, time()) + hour * ONE_HOUR
    month_fee = PLAN_BILLED_USD_PER_HOUR * 24 * monthrange(day.year, day.month)[1]
    is_covered = hour in _COVERED_HOURS
    used = PLAN_RATE if is_covered else Decimal(0)
    unused = PLAN_USD_PER_HOUR - used
    yield Line(
        AWS, AWS_PAYER, "Purchase", "1 year Partial Upfront Compute Savings Plan", start, start + ONE_HOUR,
        "Savings Plans for AWS Compute usage", "Compute", PLAN_BILLED_USD_PER_HOUR, PLAN_BILLED_USD_PER_HOUR,
        frequency="Recurring", effective=unused,
        commitment=Commitment(PLAN, purchased=PLAN_USD_PER_HOUR, unused=unused),
        native={
            **_plan_terms("SavingsPlanRecurringFee"),
            "line_item_product_code": "ComputeSavingsPlans",
            "line_item_usage_type": "ComputeSP:1yrPartialUpfront",
            "savings_plan_recurring_commitment_for_billing_period": month_fee,
            "savings_plan_amortized_upfront_commitment_for_billing_period": month_fee,
            "savings_plan_total_commitment_to_date": PLAN_USD_PER_HOUR,
            "savings_plan_used_commitment": used,
        },
    )  # fmt: skip
    if is_covered:
        yield from _covered_lines(start)
        if day >= _FIRST_SPLIT_DAY:
            yield from _pod_lines(start)


def _plan_terms(line_type: str) -> dict[str, object]:
    return {
        "line_item_line_item_type": line_type,
        "savings_plan_savings_plan_a_r_n": PLAN,
        "savings_plan_offering_type": "ComputeSavingsPlans",
        "savings_plan_payment_option": "Partial Upfront",
        "savings_plan_purchase_term": "1yr",
        "savings_plan_start_time": "2026-08-16T00:00:00.000Z",
        "savings_plan_end_time": "2027-08-15T23:59:59.000Z",
    }


def _covered_lines(start: datetime) -> Iterator[Line]:
    covered = replace(
        machine_line(SEARCH_AWS_ACCOUNT, start, _MACHINE, _MACHINE_TYPE, ON_DEMAND_RATE, ON_DEMAND_RATE, "BoxUsage"),
        effective=PLAN_RATE,
        commitment=Commitment(PLAN, used=PLAN_RATE),
        tags={"user_team": "search"},
    )
    plan = {
        **_plan_terms("SavingsPlanCoveredUsage"),
        "savings_plan_savings_plan_rate": PLAN_RATE,
        "savings_plan_savings_plan_effective_cost": PLAN_RATE,
    }
    yield replace(covered, native={**covered.native, **plan})
    yield replace(
        covered,
        description=f"SavingsPlanNegation used by AccountId : {SEARCH_AWS_ACCOUNT} and UsageSku : {covered.sku_id}",
        cost=-ON_DEMAND_RATE,
        list_cost=Decimal(0),
        effective=Decimal(0),
        commitment=Commitment(PLAN),
        native={
            **covered.native,
            "line_item_line_item_type": "SavingsPlanNegation",
            "savings_plan_savings_plan_a_r_n": PLAN,
        },
    )


def _pod_lines(start: datetime) -> Iterator[Line]:
    """Split cost allocation: whose pod the machine's hour was. They cost nothing themselves."""
    for dimension, shares in _SPLIT.items():
        for pod, share in zip(_PODS, shares, strict=True):
            reserved, capacity, cost, unused = map(Decimal, share.split())
            usage_type = f"USE1-EKS-EC2-{dimension}"
            yield Line(
                AWS, SEARCH_AWS_ACCOUNT, "Usage", f"{dimension} of pod {pod}", start, start + ONE_HOUR,
                "Amazon Elastic Container Service for Kubernetes", "Compute", Decimal(0), Decimal(0),
                quantity=reserved,
                resource_id=f"arn:aws:eks:us-east-1:{SEARCH_AWS_ACCOUNT}:pod/ranking/rank/{pod}/7e5c",
                tags={"user_team": "search", "aws:eks:cluster-name": "ranking", "aws:eks:namespace": "rank"},
                native={
                    "line_item_product_code": "AmazonEKS",
                    "line_item_operation": "EKSPod-EC2",
                    "line_item_usage_type": usage_type,
                    "split_line_item_parent_resource_id": _MACHINE,
                    "split_line_item_reserved_usage": reserved,
                    "split_line_item_actual_usage": reserved,
                    "split_line_item_split_usage": reserved,
                    "split_line_item_split_usage_ratio": reserved / capacity,
                    "split_line_item_split_cost": cost,
                    "split_line_item_unused_cost": unused,
                },
            )  # fmt: skip


def machine_line(
    account: str, start: datetime, machine: str, machine_type: str, price: Decimal, list_price: Decimal, usage: str
) -> Line:
    """An hour of a machine; `usage` is how the usage type begins, `BoxUsage` or `SpotUsage`."""
    how = "Spot" if usage == "SpotUsage" else "On Demand"
    return Line(
        AWS, account, "Usage", f"${price:f} per {how} Linux {machine_type} Instance Hour", start, start + ONE_HOUR,
        "Amazon Elastic Compute Cloud", "Compute", price, list_price,
        sku_id=f"EC2{machine_type.upper().replace('.', '')}", quantity=Decimal(1), unit="Hrs", pricing_unit="Hrs",
        pricing_quantity=Decimal(1), unit_price=price, list_unit_price=list_price, resource_id=machine,
        resource_type="Instance",
        native={
            "line_item_product_code": "AmazonEC2",
            "line_item_operation": "RunInstances" + (":SV001" if how == "Spot" else ""),
            "line_item_usage_type": f"{usage}:{machine_type}",
            "line_item_availability_zone": "us-east-1a",
            # spot lines name the machine in the usage type only
            "product_instance_type": None if how == "Spot" else machine_type,
            "product_product_family": "Compute Instance",
            "product_servicecode": "AmazonEC2",
            "pricing_term": None if how == "Spot" else "OnDemand",
        },
    )  # fmt: skip
