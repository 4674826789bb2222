"""What Google Cloud bills: Gemini on Vertex AI, two L4 machines under a committed use, and a promotion's credits.

Days are Pacific ones, as Google invoices them. The commitment is for two GPUs; most hours use one of them or none. One
day of September is invoiced in October: its usage was reported late.

Here belongs: quantities, prices and costs. Here does not belong: how Google writes them, which is in `gcp_files`.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from sample.company import GROWTH_PROJECT, SEARCH_PROJECT
from sample.lines import ONE_DAY, ONE_HOUR, Commitment, Line

PROVIDER = "Google Cloud"
GEMINI = "gemini-2.5-flash"
GEMINI_SKUS = {
    "input_uncached": ("9A1E-40C7-13B2", "Gemini 2.5 Flash GA Text Input - Predictions"),
    "cache_read": ("9A1E-40C7-13B3", "Gemini 2.5 Flash GA Text Input Caching - Predictions"),
    "output_text": ("9A1E-40C7-13B4", "Gemini 2.5 Flash GA Text Output - Predictions"),
}
GEMINI_USD_PER_MTOK = {"input_uncached": "0.3", "cache_read": "0.03", "output_text": "2.5"}
_GEMINI_TOKENS = {"input_uncached": 9_000_000, "cache_read": 2_500_000, "output_text": 1_400_000}
LATE_DAY = date(2026, 9, 29)
_PROMOTION_DAYS = (date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 7))
_PACIFIC_MIDNIGHT = timedelta(hours=7)

COMMITMENT = "7184718471847184718"
COMMITTED_GPUS, FEE_PER_GPU_HOUR = 2, Decimal("0.3528")
# Of a machine's hour: SKU, description, amount, unit, USD for one of it.
_PARTS = (
    ("1F6B-93D0-5A11", "G2 Instance Core running in Iowa", 12, "hour", "0.024988"),
    ("1F6B-93D0-5A12", "G2 Instance Ram running in Iowa", 48, "gibibyte hour", "0.002927"),
    ("1F6B-93D0-5A13", "Nvidia L4 GPU running in Iowa", 1, "hour", "0.56"),
)
# Machines and the Pacific hours of a weekday in which they run.
_MACHINES = (("embed-1", range(8, 18)), ("embed-2", range(10, 14)))


class Credit(NamedTuple):
    """An entry of a line's `credits`; the amount is negative."""

    kind: str
    name: str
    amount: Decimal


def gcp_lines(days: Sequence[date], seed: int, as_of: date) -> list[Line]:
    """The lines of a month's days that are over in California, and October's late one: the costs are after credits."""
    lines = _gemini_lines(LATE_DAY, seed)[:1] if days[0] > LATE_DAY else []
    for day in days:
        if day + 2 * ONE_DAY > as_of:
            break
        lines += _gemini_lines(day, seed)[day == LATE_DAY :]
        lines += [line for hour in range(24) for line in _hour_lines(day, hour)]
    return lines


def _gemini_lines(day: date, seed: int) -> list[Line]:
    chance = random.Random(f"{seed}:gcp:{day}")  # noqa: S311
    scale = 0.15 if day.weekday() >= 5 else 1.0
    lines = [_gemini_line(day, name, int(n * scale * chance.uniform(0.7, 1.3))) for name, n in _GEMINI_TOKENS.items()]
    if day in _PROMOTION_DAYS:
        half = (lines[0].cost / 2).quantize(Decimal("0.000001"))
        lines[0] = _credited(lines[0], Credit("PROMOTION", "Gemini launch promotion", -half))
    return lines


def _gemini_line(day: date, token_class: str, count: int) -> Line:
    price = Decimal(GEMINI_USD_PER_MTOK[token_class]).scaleb(-6)
    sku, description = GEMINI_SKUS[token_class]
    start = datetime.combine(day, time()) + _PACIFIC_MIDNIGHT
    return Line(
        provider_name=PROVIDER,
        sub_account_id=GROWTH_PROJECT,
        charge_category="Usage",
        description=description,
        start=start,
        end=start + ONE_DAY,
        service_name="Vertex AI",
        service_category="AI and Machine Learning",
        cost=price * count,
        list_cost=price * count,
        sku_id=sku,
        quantity=Decimal(count),
        unit="count",
        pricing_quantity=Decimal(count),
        pricing_unit="count",
        unit_price=price,
        list_unit_price=price,
        model=GEMINI,
        token_class=token_class,
    )


def _credited(line: Line, credit: Credit) -> Line:
    return replace(line, cost=line.cost + credit.amount, native={**line.native, "credits": (credit,)})


def _hour_lines(day: date, hour: int) -> Iterator[Line]:
    """The commitment's fee, and the parts of the machines that run; the credit takes their GPUs off."""
    start = datetime.combine(day, time()) + _PACIFIC_MIDNIGHT + hour * ONE_HOUR
    running = [name for name, hours in _MACHINES if day.weekday() < 5 and hour in hours]
    fee, used = FEE_PER_GPU_HOUR * COMMITTED_GPUS, FEE_PER_GPU_HOUR * len(running)
    yield replace(
        _compute_line(start, "5D20-77E1-0C41", "Commitment v1: Nvidia L4 GPU running in Iowa for 1 Year",
                      COMMITTED_GPUS, "hour", FEE_PER_GPU_HOUR),
        charge_category="Purchase",
        commitment=Commitment(COMMITMENT, purchased=fee, used=used, unused=fee - used),
        native={"subscription": COMMITMENT},
    )  # fmt: skip
    for machine in running:
        for sku, description, amount, unit, price in _PARTS:
            line = _compute_line(start, sku, description, amount, unit, Decimal(price))
            line = replace(line, resource_id=machine, tags={"app": "embeddings"}, native=_MACHINE_LABELS)
            if "GPU" in description:
                line = _credited(line, Credit("COMMITTED_USAGE_DISCOUNT", "Committed Usage Discount: GPU", -line.cost))
            yield line


_MACHINE_LABELS: Mapping[str, object] = {
    "system_labels": {
        "compute.googleapis.com/cores": "12",
        "compute.googleapis.com/machine_spec": "g2-standard-12",
        "compute.googleapis.com/memory": "49152",
    }
}


def _compute_line(start: datetime, sku: str, description: str, amount: int, unit: str, price: Decimal) -> Line:
    # bytes by the second for memory, seconds for everything else
    size = 1024**3 if unit == "gibibyte hour" else 1
    return Line(
        PROVIDER, SEARCH_PROJECT, "Usage", description, start, start + ONE_HOUR, "Compute Engine", "Compute",
        price * amount, price * amount, sku_id=sku, quantity=Decimal(amount * 3600 * size),
        unit="seconds" if size == 1 else "byte-seconds", pricing_quantity=Decimal(amount), pricing_unit=unit,
        unit_price=price, list_unit_price=price,
    )  # fmt: skip
