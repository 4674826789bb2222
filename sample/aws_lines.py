"""What AWS bills: Claude on Bedrock, a machine under a savings plan, spot machines, storage, tax and a credit.

The plan was bought in September, half of it paid upfront: an hour of it is worth twice what its invoice asks for. With
the invoice AWS takes back what an outage cost, and two spot hours arrive late.

Here belongs: quantities, prices and costs. Here does not belong: how AWS writes them, which is in `aws_files`.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

from sample.company import AWS_PAYER, MONTH, NEXT_MONTH, RESEARCH_AWS_ACCOUNT, SEARCH_AWS_ACCOUNT, SUPPORT_AWS_ACCOUNT
from sample.lines import ONE_DAY, ONE_HOUR, Commitment, Line

PROVIDER = "AWS"
CLAUDE = "global.anthropic.claude-sonnet-4-6-v1:0"
CLAUDE_METERS = {
    "input_uncached": "input-tokens",
    "cache_read": "cache-read-input-token-count",
    "cache_write_5m": "cache-write-input-token-count",
    "output_text": "output-tokens",
}
CLAUDE_USD_PER_MTOK = {"input_uncached": "3", "cache_read": "0.3", "cache_write_5m": "3.75", "output_text": "15"}
_CLAUDE_TOKENS = {
    "input_uncached": 1_800_000,
    "cache_read": 6_000_000,
    "cache_write_5m": 700_000,
    "output_text": 220_000,
}
_OUTAGE_DAY = date(2026, 10, 13)
_LATE = date(2026, 10, 30)

PLAN = "arn:aws:savingsplans::111122223333:savingsplan/5e0f1c7a-2b43-4d1e-9a55-7c1d2e3f4a5b"
PLAN_USD_PER_HOUR, PLAN_BILLED_USD_PER_HOUR = Decimal("3.5"), Decimal("1.75")
PLAN_RATE, ON_DEMAND_RATE = Decimal("3.31"), Decimal("4.6016")
_MACHINE, _MACHINE_TYPE = "i-0a1f3c5e7092b4d68", "g6.12xlarge"
_COVERED_HOURS = range(6, 22)
_FIRST_SPLIT_DAY = date(2026, 10, 26)

# Two pods of the machine share its hour: dimension, unit cost's pod, reserved of the machine's, cost, unused cost.
_PODS = ("ranker-0", "ranker-1")
_SPLIT: Mapping[str, tuple[str, ...]] = {
    "Accelerator-Hours": ("2 4 1.2 0.4", "1 4 0.6 0.2"),
    "vCPU-Hours": ("16 48 0.24 0.24", "8 48 0.12 0.12"),
    "GB-Hours": ("96 192 0.095 0", "96 192 0.095 0"),
}
_SPOT, _SPOT_TYPE = "i-0d94c2be81f70a635", "g6e.12xlarge"
_SPOT_HOURS = range(1, 6)
_SPOT_LIST = Decimal("10.4926")


def aws_lines(days: Sequence[date], seed: int, *, is_invoiced: bool) -> list[Line]:
    """The lines of the days; as restated with the invoice if there is one."""
    lines = [line for day in days for line in _day_lines(day, seed)]
    if is_invoiced:
        lines += _with_the_invoice(lines, seed)
    return lines + (list(_month_end(lines)) if days[-1] + ONE_DAY == NEXT_MONTH else [])


def _day_lines(day: date, seed: int) -> Iterator[Line]:
    chance = random.Random(f"{seed}:aws:{day}")  # noqa: S311
    scale = 0.2 if day.weekday() >= 5 else 1.0
    for token_class, usual in _CLAUDE_TOKENS.items():
        yield _claude_line(day, token_class, int(usual * scale * chance.uniform(0.7, 1.3)))
    for hour in range(24):
        yield from _plan_lines(day, hour)
    yield from (_spot_line(day, hour, chance) for hour in _SPOT_HOURS)
    yield _storage_line(day)


def _claude_line(day: date, token_class: str, count: int) -> Line:
    price = Decimal(CLAUDE_USD_PER_MTOK[token_class])
    millions = Decimal(count).scaleb(-6)
    start = datetime.combine(day, time())
    meter = f"USE1-Claude4.6Sonnet-{CLAUDE_METERS[token_class]}-cross-region-global"
    return Line(
        provider_name=PROVIDER,
        sub_account_id=SUPPORT_AWS_ACCOUNT,
        charge_category="Usage",
        description=f"${price:f} per 1M tokens for {meter}",
        start=start,
        end=start + ONE_DAY,
        service_name="Amazon Bedrock",
        service_category="AI and Machine Learning",
        cost=price * millions,
        list_cost=price * millions,
        sku_id=f"BRCLAUDE46{token_class.replace('_', '').upper()}",
        quantity=Decimal(count),
        unit="Tokens",
        pricing_quantity=millions,
        pricing_unit="1M tokens",
        unit_price=price,
        list_unit_price=price,
        model=CLAUDE,
        token_class=token_class,
        native={
            "line_item_product_code": "AmazonBedrockFoundationModels",
            "line_item_operation": "InvokeModelStreamingInference",
            "line_item_usage_type": meter,
            "product_servicecode": "AmazonBedrock",
        },
    )


def _plan_lines(day: date, hour: int) -> Iterator[Line]:
    """The hour's fee; while the machine runs also its usage, covered and taken off again, and its pods' shares."""
    start = datetime.combine(day, time()) + hour * ONE_HOUR
    is_covered = hour in _COVERED_HOURS
    used = PLAN_RATE if is_covered else Decimal(0)
    unused = PLAN_USD_PER_HOUR - used
    yield Line(
        PROVIDER, AWS_PAYER, "Purchase", "1 year Partial Upfront Compute Savings Plan", start, start + ONE_HOUR,
        "Savings Plans for AWS Compute usage", "Compute", PLAN_BILLED_USD_PER_HOUR, PLAN_BILLED_USD_PER_HOUR,
        frequency="Recurring", effective=unused,
        commitment=Commitment(PLAN, purchased=PLAN_USD_PER_HOUR, unused=unused),
        native={
            **_plan_terms("SavingsPlanRecurringFee"),
            "line_item_product_code": "ComputeSavingsPlans",
            "line_item_usage_type": "ComputeSP:1yrPartialUpfront",
            "savings_plan_recurring_commitment_for_billing_period": PLAN_BILLED_USD_PER_HOUR * 744,
            "savings_plan_amortized_upfront_commitment_for_billing_period": PLAN_BILLED_USD_PER_HOUR * 744,
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
        "savings_plan_start_time": "2026-09-16T00:00:00.000Z",
        "savings_plan_end_time": "2027-09-15T23:59:59.000Z",
    }


def _covered_lines(start: datetime) -> Iterator[Line]:
    covered = replace(
        _machine_line(SEARCH_AWS_ACCOUNT, start, _MACHINE, _MACHINE_TYPE, ON_DEMAND_RATE, ON_DEMAND_RATE, "BoxUsage"),
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
                PROVIDER, SEARCH_AWS_ACCOUNT, "Usage", f"{dimension} of pod {pod}", start, start + ONE_HOUR,
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


def _machine_line(
    account: str, start: datetime, machine: str, machine_type: str, price: Decimal, list_price: Decimal, usage: str
) -> Line:
    how = "Spot" if usage == "SpotUsage" else "On Demand"
    return Line(
        PROVIDER, account, "Usage", f"${price:f} per {how} Linux {machine_type} Instance Hour", start, start + ONE_HOUR,
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


def _spot_line(day: date, hour: int, chance: random.Random) -> Line:
    start = datetime.combine(day, time()) + hour * ONE_HOUR
    price = Decimal(chance.randrange(31_000, 38_000)).scaleb(-4)
    line = _machine_line(RESEARCH_AWS_ACCOUNT, start, _SPOT, _SPOT_TYPE, price, _SPOT_LIST, "SpotUsage")
    return replace(line, tags={"user_team": "research"})


def _storage_line(day: date) -> Line:
    """A bucket that nobody tagged."""
    start = datetime.combine(day, time())
    gigabytes, price = Decimal("41.25"), Decimal("0.023")
    return Line(
        PROVIDER, AWS_PAYER, "Usage", "$0.023 per GB - first 50 TB / month of storage used", start, start + ONE_DAY,
        "Amazon Simple Storage Service", "Storage", gigabytes * price, gigabytes * price, sku_id="S3STANDARD",
        quantity=gigabytes, unit="GB-Mo", pricing_quantity=gigabytes, pricing_unit="GB-Mo", unit_price=price,
        list_unit_price=price, resource_id="corpora.alder-finch.example",
        native={
            "line_item_product_code": "AmazonS3",
            "line_item_operation": "StandardStorage",
            "line_item_usage_type": "TimedStorage-ByteHrs",
            "product_servicecode": "AmazonS3",
        },
    )  # fmt: skip


def _with_the_invoice(lines: Sequence[Line], seed: int) -> Iterator[Line]:
    """What AWS adds when it issues the invoice: a refund of the outage day's output, and spot hours that came late."""
    output = next(
        line
        for line in lines
        if line.token_class == "output_text" and line.start.date() == _OUTAGE_DAY  # noqa: S105
    )
    refund = (output.cost / 4).quantize(Decimal("0.000001"))
    yield replace(
        output, charge_category="Adjustment", description="Refund for degraded service", cost=-refund,
        list_cost=-refund, quantity=None, pricing_quantity=None, frequency="One-Time",
        native={**output.native, "line_item_line_item_type": "Refund"},
    )  # fmt: skip
    chance = random.Random(f"{seed}:aws:late")  # noqa: S311
    yield from (_spot_line(_LATE, hour, chance) for hour in (21, 22))


def _month_end(lines: Sequence[Line]) -> Iterator[Line]:
    start, end = datetime.combine(MONTH, time()), datetime.combine(NEXT_MONTH, time())
    tax = (sum((line.cost for line in lines), Decimal(0)) * Decimal("0.02")).quantize(Decimal("0.01"))
    yield Line(
        PROVIDER, AWS_PAYER, "Tax", "Tax for product code AmazonEC2", start, end, "Amazon Elastic Compute Cloud",
        "Other", tax, tax, native={"line_item_product_code": "AmazonEC2", "line_item_tax_type": "USSalesTax"},
    )  # fmt: skip
    credit = Decimal("-60.00")
    yield Line(
        PROVIDER, AWS_PAYER, "Credit", "AWS Activate credit", start, end, "Amazon Elastic Compute Cloud", "Other",
        credit, credit, frequency="One-Time", native={"line_item_product_code": "AmazonEC2"},
    )  # fmt: skip
