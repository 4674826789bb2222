"""What the API providers and the GPU cloud bill: lines made from the same requests that the gateways logged.

Here belongs: quantities, prices and costs, exact to the twelfth decimal. Here does not belong: how a bill is
written, which is in `focus_files` and `api_answers`; the three large clouds, each a module of its own.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

from sample.company import MODELS, RESEARCH, SERVING, Host, month_after, month_of
from sample.lines import ONE_DAY, ONE_HOUR, Line
from sample.list_prices import USD_PER_TOKEN
from sample.traffic import Request

GATEWAY_ACCOUNT = {"openai": "proj_gateway", "anthropic": "wrkspc_gateway"}
PROVIDER_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}
CLOUD = "Nimbus Compute"

# Keys that bypass the gateway: sub-account, provider, model on the bill, tokens per weekday.
DIRECT_KEYS: tuple[tuple[str, str, str, Mapping[str, int]], ...] = (
    ("proj_mobile_direct", "openai", "gpt-5-mini", {"input_uncached": 400_000, "output_text": 60_000}),
    ("proj_sandbox", "openai", "gpt-5", {"input_uncached": 150_000, "output_text": 12_000}),
    ("proj_sandbox", "openai", "gpt-5-nano", {"input_uncached": 600_000, "output_text": 80_000}),
    (
        "wrkspc_legal_direct",
        "anthropic",
        "claude-sonnet-4-5-20250929",
        {"input_uncached": 90_000, "output_text": 6_000},
    ),
    (
        "wrkspc_experiments",
        "anthropic",
        "claude-haiku-4-5-20251001",
        {"input_uncached": 120_000, "cache_write_1h": 60_000, "output_text": 10_000},
    ),
)
PRICED_AS = {model.bill_name: model.name for model in MODELS.values() if model.bill_name and model.alias != "finch-x"}
PRICED_AS["gpt-5-nano"] = "gpt-5-nano"

# Storage volumes: resource, tags, USD a day.
VOLUMES: tuple[tuple[str, Mapping[str, str], str], ...] = (
    ("nimbus-vol-models-1", {"team": "data-platform", "env": "production"}, "14.40"),
    ("nimbus-vol-scratch-7", {}, "6.25"),
    ("nimbus-vol-orphan-3", {}, "2.10"),
)


def api_lines(day: date, requests: Sequence[Request], seed: int) -> list[Line]:
    """The lines of both API providers for one day: one per project, model and token class, logged or not."""
    tokens: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for request in requests:
        model = request.model
        if model.bill_name is None or not request.is_billed:
            continue
        for token_class, count in request.tokens.items():
            billed_class = "output_text" if token_class == "output_reasoning" else token_class  # noqa: S105
            tokens[model.provider, GATEWAY_ACCOUNT[model.provider], model.bill_name, billed_class] += count
    chance = random.Random(f"{seed}:direct:{day}")  # noqa: S311
    scale = 0.3 if day.weekday() >= 5 else 1.0
    for sub_account, provider, bill_name, usual in DIRECT_KEYS:
        for token_class, count in usual.items():
            tokens[provider, sub_account, bill_name, token_class] += int(count * scale * chance.uniform(0.7, 1.3))
    return [_token_line(day, *key, tokens[key]) for key in sorted(tokens) if tokens[key]]


def _token_line(day: date, provider: str, sub_account: str, bill_name: str, token_class: str, count: int) -> Line:
    price = USD_PER_TOKEN[PRICED_AS[bill_name]][token_class]
    start = datetime.combine(day, time())
    million = price.scaleb(6)
    return Line(
        provider_name=PROVIDER_NAMES[provider],
        sub_account_id=sub_account,
        charge_category="Usage",
        description=f"{bill_name} {token_class.replace('_', ' ')} tokens",
        start=start,
        end=start + ONE_DAY,
        service_name="API",
        service_category="AI and Machine Learning",
        cost=price * count,
        list_cost=price * count,
        sku_id=f"{bill_name}:{token_class}",
        quantity=Decimal(count),
        unit="Tokens",
        pricing_quantity=Decimal(count).scaleb(-6),
        pricing_unit="1000000 Tokens",
        unit_price=million,
        list_unit_price=million,
        model=bill_name,
        token_class=token_class,
    )


def restated(lines: Sequence[Line]) -> list[Line]:
    """The OpenAI costs as they are restated: three days of gpt-5 counted anew, and a line that came late."""
    first, last = datetime(2026, 10, 20), datetime(2026, 10, 22)  # noqa: DTZ001
    corrected: list[Line] = []
    for line in lines:
        if line.model == "gpt-5" and line.sub_account_id == "proj_gateway" and first <= line.start <= last:
            count = int(line.quantity or 0) * 98 // 100
            line = _token_line(line.start.date(), "openai", "proj_gateway", "gpt-5", line.token_class or "", count)  # noqa: PLW2901
        corrected.append(line)
    return [
        *corrected,
        _token_line(date(2026, 10, 30), "openai", "proj_sandbox", "gpt-5-nano", "cache_read", 1_250_000),
    ]


def cloud_lines(days: Sequence[date]) -> list[Line]:
    """The GPU cloud's days of a month: nodes by the day and by the hour, volumes, then support, tax and a credit."""
    lines: list[Line] = []
    for day in days:
        midnight = datetime.combine(day, time())
        lines.append(_node_line(SERVING, midnight, 24))
        lines += [_node_line(RESEARCH, midnight + hour * ONE_HOUR, 1) for hour in range(24)]
        lines += [_volume_line(midnight, *volume) for volume in VOLUMES]
    month = month_of(days[0])
    return lines + (list(_month_end(month, lines)) if days[-1] + ONE_DAY == month_after(month) else [])


def _node_line(host: Host, start: datetime, hours: int) -> Line:
    gpu_hours = Decimal(hours * host.gpus)
    return Line(
        provider_name=CLOUD,
        sub_account_id=f"nimbus-{host.cluster}",
        charge_category="Usage",
        description=f"8x H100 node, {'day' if hours == 24 else 'hour'}",
        start=start,
        end=start + hours * ONE_HOUR,
        service_name="GPU Instances",
        service_category="Compute",
        cost=gpu_hours * host.usd_per_gpu_hour,
        list_cost=gpu_hours * host.list_usd_per_gpu_hour,
        sku_id="gpu.h100.8x",
        quantity=gpu_hours,
        unit="GPU-Hours",
        pricing_quantity=gpu_hours,
        pricing_unit="GPU-Hours",
        unit_price=host.usd_per_gpu_hour,
        list_unit_price=host.list_usd_per_gpu_hour,
        resource_id=host.resource_id,
        resource_type="GPU node",
        tags={"cluster": host.cluster},
    )


def _volume_line(start: datetime, resource_id: str, tags: Mapping[str, str], usd_per_day: str) -> Line:
    cost = Decimal(usd_per_day)
    return Line(
        provider_name=CLOUD,
        sub_account_id="nimbus-storage",
        charge_category="Usage",
        description="Block volume, day",
        start=start,
        end=start + ONE_DAY,
        service_name="Block Storage",
        service_category="Storage",
        cost=cost,
        list_cost=cost,
        sku_id="vol.nvme",
        quantity=Decimal(1),
        unit="Days",
        pricing_quantity=Decimal(1),
        pricing_unit="Days",
        unit_price=cost,
        list_unit_price=cost,
        resource_id=resource_id,
        resource_type="Volume",
        tags=tags,
    )


def _month_end(month: date, usage: Sequence[Line]) -> Iterator[Line]:
    start, end = datetime.combine(month, time()), datetime.combine(month_after(month), time())
    support = Line(
        CLOUD, "nimbus-support", "Purchase", "Premium support, month", start, end, "Support", "Other",
        Decimal("450.00"), Decimal("450.00"), frequency="Recurring",
    )  # fmt: skip
    taxed = sum((line.cost for line in usage), support.cost)
    tax = (taxed * Decimal("0.025")).quantize(Decimal("0.01"))
    yield support
    yield replace(support, charge_category="Tax", description="Sales tax", service_name="Tax", cost=tax, list_cost=tax)
    credit = Decimal("-750.00")
    yield replace(
        support, charge_category="Credit", description="Start-up programme credit", service_name="Credits",
        cost=credit, list_cost=credit, frequency="One-Time",
    )  # fmt: skip
