"""What Azure bills: two models by the token, reserved throughput that is used to four fifths, and a scale set.

The reservation is bought on the first of the month: the actual view has its price that day and nothing for what it
covers, the amortized view has a day's share every day, used or not.

Here belongs: quantities, prices and costs. Here does not belong: how Azure writes them, which is in `azure_files`.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from sample.company import LEGAL_SUBSCRIPTION, MONTH, SHARED_SUBSCRIPTION
from sample.lines import ONE_DAY, Commitment, Line

PROVIDER = "Microsoft"
RESERVATION = "d7f1c0de-1847-4000-8000-00000000b001"
ORDER = "d7f1c0de-1847-4000-8000-00000000b000"
RESERVATION_NAME = "ptu-global-1m"
RESERVED_UNITS, DEPLOYED_UNITS = 15, 12
DEPLOYMENT = "in-app-assistant"
DEPLOYMENT_ACCOUNT = (
    f"/subscriptions/{SHARED_SUBSCRIPTION}/resourcegroups/rg-ai/providers"
    "/microsoft.cognitiveservices/accounts/aoai-mobile"
)
_USD_PER_UNIT_HOUR = Decimal("0.35")  # by the month; by the hour a unit is 1 USD
_DAYS = 31


class Meter(NamedTuple):
    """A meter of tokens: the model, the class, USD per unit of measure, and how many tokens that unit is."""

    name: str
    model: str
    token_class: str
    price: Decimal
    unit: str
    tokens: int


METERS = (
    Meter("gpt 4.1 Inp glbl Tokens", "gpt-4.1", "input_uncached", Decimal("0.002"), "1K", 1_000),
    Meter("gpt 4.1 cached Inp glbl Tokens", "gpt-4.1", "cache_read", Decimal("0.0005"), "1K", 1_000),
    Meter("gpt 4.1 Outp glbl Tokens", "gpt-4.1", "output_text", Decimal("0.008"), "1K", 1_000),
    Meter("5 mini inp Gl 1M Tokens", "gpt-5-mini", "input_uncached", Decimal("0.25"), "1M", 1_000_000),
    Meter("5 mini opt Gl 1M Tokens", "gpt-5-mini", "output_text", Decimal(2), "1M", 1_000_000),
)
_TOKENS = (2_600_000, 900_000, 350_000, 5_200_000, 640_000)
_MACHINE_TYPE, _MACHINE_PRICE = "Standard_NC4as_T4_v3", Decimal("0.526")
# Scale sets: name, tags, and the hours of a weekday of each of its machines.
_SCALE_SETS: tuple[tuple[str, Mapping[str, str], tuple[int, ...]], ...] = (
    ("vmss-ocr", {"env": "production", "team": "data-platform"}, (10, 6)),
    ("vmss-trial", {}, (3,)),
)


def azure_lines(days: Sequence[date], seed: int) -> list[Line]:
    """The lines of the days of a month, each once, with what it costs in either view."""
    purchases = [_purchase_line()] if days[0] == MONTH else []
    return [*purchases, *(line for day in days for line in _day_lines(day, seed))]


def _day_lines(day: date, seed: int) -> Iterator[Line]:
    chance = random.Random(f"{seed}:azure:{day}")  # noqa: S311
    scale = 0.25 if day.weekday() >= 5 else 1.0
    for meter, usual in zip(METERS, _TOKENS, strict=True):
        yield _token_line(day, meter, int(usual * scale * chance.uniform(0.7, 1.3)))
    if day >= MONTH:
        yield _provisioned_line(day, DEPLOYED_UNITS, is_used=True)
        yield _provisioned_line(day, RESERVED_UNITS - DEPLOYED_UNITS, is_used=False)
    if day.weekday() < 5:
        for name, tags, hours in _SCALE_SETS:
            yield from (_machine_line(day, name, number, tags, count) for number, count in enumerate(hours))


def _resource(subscription: str, group: str, path: str) -> str:
    return f"/subscriptions/{subscription}/resourcegroups/{group}/providers/{path}"


def _token_line(day: date, meter: Meter, count: int) -> Line:
    """Legal's own subscription uses the one model; the other is the mobile app's, by its tag."""
    is_legal = meter.model == "gpt-4.1"
    account = "aoai-legal" if is_legal else "aoai-mobile"
    subscription = LEGAL_SUBSCRIPTION if is_legal else SHARED_SUBSCRIPTION
    units = Decimal(count) / meter.tokens
    start = datetime.combine(day, time())
    return Line(
        provider_name=PROVIDER,
        sub_account_id=subscription,
        charge_category="Usage",
        description=f"Azure OpenAI - {meter.name}",
        start=start,
        end=start + ONE_DAY,
        service_name="Foundry Models",
        service_category="AI + Machine Learning",
        cost=units * meter.price,
        list_cost=units * meter.price,
        sku_id=meter.name,
        quantity=Decimal(count),
        unit="Tokens",
        pricing_quantity=units,
        pricing_unit=meter.unit,
        unit_price=meter.price,
        list_unit_price=meter.price,
        resource_id=_resource(subscription, "rg-ai", f"microsoft.cognitiveservices/accounts/{account}"),
        tags=None if is_legal else {"app": "in-app-assistant", "team": "mobile"},
        model=meter.model,
        token_class=meter.token_class,
        native=_MODELS,
    )


_MODELS: Mapping[str, object] = {"ConsumedService": "Microsoft.CognitiveServices", "MeterSubCategory": "Azure OpenAI"}
_RESERVED: Mapping[str, object] = {
    **_MODELS,
    "ReservationId": RESERVATION,
    "ReservationName": RESERVATION_NAME,
    "ProductOrderId": ORDER,
    "ProductOrderName": "Azure OpenAI Provisioned Global, 1 month",
}


def reservation_price() -> Decimal:
    """USD for all units and the whole month, paid at its start."""
    return _USD_PER_UNIT_HOUR * 24 * _DAYS * RESERVED_UNITS


def _purchase_line() -> Line:
    start, price = datetime.combine(MONTH, time()), reservation_price()
    return Line(
        PROVIDER, SHARED_SUBSCRIPTION, "Purchase", "Azure OpenAI Provisioned Global, 1 month", start, start + ONE_DAY,
        "Foundry Models", "AI + Machine Learning", price, price, sku_id="Provisioned Managed Global Unit",
        pricing_quantity=Decimal(RESERVED_UNITS), pricing_unit="1", unit_price=price / RESERVED_UNITS,
        frequency="OneTime", effective=Decimal(0), commitment=Commitment(RESERVATION),
        native={**_RESERVED, "Term": "1 Month", "views": ("actual",)},
    )  # fmt: skip


def _provisioned_line(day: date, units: int, *, is_used: bool) -> Line:
    """A day of reserved units: free in the actual view where they are deployed; else in the amortized one alone."""
    start, hours = datetime.combine(day, time()), Decimal(24 * units)
    share = hours * _USD_PER_UNIT_HOUR
    used, unused = (share, Decimal(0)) if is_used else (Decimal(0), share)
    views = {} if is_used else {"ChargeType": "UnusedReservation", "views": ("amortized",)}
    return Line(
        PROVIDER, SHARED_SUBSCRIPTION, "Usage", "Azure OpenAI - Provisioned Managed Global Unit", start,
        start + ONE_DAY, "Foundry Models", "AI + Machine Learning", Decimal(0), hours,
        sku_id="Provisioned Managed Global Unit", quantity=hours, unit="Hours", pricing_quantity=hours,
        pricing_unit="1 Hour", unit_price=Decimal(1), list_unit_price=Decimal(1),
        resource_id=DEPLOYMENT_ACCOUNT if is_used else None, tags={"team": "mobile"} if is_used else None,
        effective=share, commitment=Commitment(RESERVATION, purchased=share, used=used, unused=unused),
        native={**_RESERVED, **views},
    )  # fmt: skip


def _machine_line(day: date, scale_set: str, number: int, tags: Mapping[str, str], hours: int) -> Line:
    start, quantity = datetime.combine(day, time()), Decimal(hours)
    path = f"microsoft.compute/virtualmachinescalesets/{scale_set}"
    details = {"ServiceType": _MACHINE_TYPE, "VMName": f"{scale_set}_{number}", "UsageType": "ComputeHR"}
    return Line(
        PROVIDER, SHARED_SUBSCRIPTION, "Usage", "Virtual Machines NCasT4 v3 Series - NC4as T4 v3", start,
        start + ONE_DAY, "Virtual Machines", "Compute", quantity * _MACHINE_PRICE, quantity * _MACHINE_PRICE,
        sku_id="NC4as T4 v3", quantity=quantity, unit="Hours", pricing_quantity=quantity, pricing_unit="1 Hour",
        unit_price=_MACHINE_PRICE, list_unit_price=_MACHINE_PRICE,
        resource_id=_resource(SHARED_SUBSCRIPTION, "rg-batch", path), tags=tags or None,
        native={
            "ConsumedService": "Microsoft.Compute",
            "MeterSubCategory": "NCasT4 v3 Series",
            "AdditionalInfo": json.dumps(details),
        },
    )  # fmt: skip
