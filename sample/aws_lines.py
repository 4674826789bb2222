"""What AWS bills: Claude on Bedrock, a machine under a savings plan, spot machines, storage, tax and a credit.

With the invoice AWS takes back what an outage cost, and two spot hours arrive late.

Here belongs: quantities, prices and costs. Here does not belong: how AWS writes them, which is in `aws_files`.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

from sample.aws_plan import AWS, machine_line, plan_lines
from sample.company import AWS_PAYER, RESEARCH_AWS_ACCOUNT, SUPPORT_AWS_ACCOUNT, month_after, month_of
from sample.lines import ONE_DAY, ONE_HOUR, Line

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

_SPOT, _SPOT_TYPE = "i-0d94c2be81f70a635", "g6e.12xlarge"
_SPOT_HOURS = range(1, 6)
_SPOT_LIST = Decimal("10.4926")


def aws_lines(days: Sequence[date], seed: int, *, is_invoiced: bool) -> list[Line]:
    """The lines of the days of a month; as restated with the invoice if there is one."""
    lines = [line for day in days for line in _day_lines(day, seed)]
    if is_invoiced and _OUTAGE_DAY in days:
        lines += _with_the_invoice(lines, seed)
    month = month_of(days[0])
    return lines + (list(_month_end(month, lines)) if days[-1] + ONE_DAY == month_after(month) else [])


def _day_lines(day: date, seed: int) -> Iterator[Line]:
    chance = random.Random(f"{seed}:aws:{day}")  # noqa: S311
    scale = 0.2 if day.weekday() >= 5 else 1.0
    for token_class, usual in _CLAUDE_TOKENS.items():
        yield _claude_line(day, token_class, int(usual * scale * chance.uniform(0.7, 1.3)))
    for hour in range(24):
        yield from plan_lines(day, hour)
    yield from (_spot_line(day, hour, chance) for hour in _SPOT_HOURS)
    yield _storage_line(day)


def _claude_line(day: date, token_class: str, count: int) -> Line:
    price = Decimal(CLAUDE_USD_PER_MTOK[token_class])
    millions = Decimal(count).scaleb(-6)
    start = datetime.combine(day, time())
    meter = f"USE1-Claude4.6Sonnet-{CLAUDE_METERS[token_class]}-cross-region-global"
    return Line(
        provider_name=AWS,
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


def _spot_line(day: date, hour: int, chance: random.Random) -> Line:
    start = datetime.combine(day, time()) + hour * ONE_HOUR
    price = Decimal(chance.randrange(31_000, 38_000)).scaleb(-4)
    line = machine_line(RESEARCH_AWS_ACCOUNT, start, _SPOT, _SPOT_TYPE, price, _SPOT_LIST, "SpotUsage")
    return replace(line, tags={"user_team": "research"})


def _storage_line(day: date) -> Line:
    """A bucket that nobody tagged."""
    start = datetime.combine(day, time())
    gigabytes, price = Decimal("41.25"), Decimal("0.023")
    return Line(
        AWS, AWS_PAYER, "Usage", "$0.023 per GB - first 50 TB / month of storage used", start, start + ONE_DAY,
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


def _month_end(month: date, lines: Sequence[Line]) -> Iterator[Line]:
    start, end = datetime.combine(month, time()), datetime.combine(month_after(month), time())
    tax = (sum((line.cost for line in lines), Decimal(0)) * Decimal("0.02")).quantize(Decimal("0.01"))
    yield Line(
        AWS, AWS_PAYER, "Tax", "Tax for product code AmazonEC2", start, end, "Amazon Elastic Compute Cloud",
        "Other", tax, tax, native={"line_item_product_code": "AmazonEC2", "line_item_tax_type": "USSalesTax"},
    )  # fmt: skip
    credit = Decimal("-60.00")
    yield Line(
        AWS, AWS_PAYER, "Credit", "AWS Activate credit", start, end, "Amazon Elastic Compute Cloud", "Other",
        credit, credit, frequency="One-Time", native={"line_item_product_code": "AmazonEC2"},
    )  # fmt: skip
