"""What an item of Azure's retail price list says: one price, and one more for each savings plan.

Here belongs: units, terms, purchase options, GPUs, models. Here does not belong: asking.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.azure.gpu_sizes import gpus_of
from connectors.azure.openai_meters import Meter, is_model_service, read_meter
from connectors.azure.prices_settings import AzurePricesSettings
from connectors.azure.units import pricing_unit
from connectors.base import IncompleteDeliveryError
from connectors.exact import read_time
from connectors.fields import JsonRow, RowError, amount, staged_amount, text
from connectors.gathered import StagedRow, extra_json

PROVIDER = "Microsoft"
_NAMED_APART = {"Data Zone": "datazone.", "Regional": "regional."}
"""What stands before a model's name where its calls stay in one part of the world, at a price of their own. A global
deployment costs the same everywhere, and is what logs and the general list mean by the bare name."""

_SPOT = ("spot", "low priority")
_TAKEN = frozenset(
    {"currencyCode", "tierMinimumUnits", "retailPrice", "unitPrice", "armRegionName", "effectiveStartDate", "meterId"}
    | {"skuId", "serviceName", "unitOfMeasure", "armSkuName", "savingsPlan", "reservationTerm"}
)
_KEPT = frozenset(
    {"location", "meterName", "productId", "productName", "skuName", "serviceId", "serviceFamily", "type"}
    | {"isPrimaryMeterRegion", "availabilityId", "effectiveEndDate"}
)


@dataclass(frozen=True)
class Price:
    """An item of the list; `plan` is the savings plan whose price is meant, and None for the item's own."""

    item: JsonRow
    plan: JsonRow | None = None


def read_prices(page: Any, name: str) -> list[Price]:
    """The prices of a page, in its order.

    Raises IncompleteDeliveryError when it is none, or holds fewer items than it says.
    """
    items = page.get("Items") if isinstance(page, Mapping) else None
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise IncompleteDeliveryError(f"{name}: this is no page of Azure's price list; fetch the day again")
    if page.get("Count", len(items)) != len(items):
        raise IncompleteDeliveryError(f"{name}: it announces {page['Count']} items and holds {len(items)}")
    return [price for item in items for price in (Price(item), *(Price(item, plan) for plan in _plans(item)))]


def stage_price(price: Price, settings: AzurePricesSettings) -> StagedRow:
    """The contract's columns. Raises RowError for what is not sold to everybody, and for unreadable values."""
    item, told = price.item, list[str]()
    _require_currency(item, settings.currency)
    service = _required(item, "serviceName")
    product = f"{text(item, 'productName') or ''}"
    is_model = is_model_service(service, product)
    meter = read_meter(text(item, "meterName") or "", product) if is_model else Meter()
    if is_model and meter.is_tuning:
        told.append("prices of fine-tuned models, which are nobody else's")
    elif is_model and meter.model is None and meter.tier != "provisioned":
        told.append("prices of model services whose meter names no model")
    size = text(item, "armSkuName")
    count, model_name = gpus_of(size or "")
    new = {name: value for name, value in item.items() if name not in _TAKEN | _KEPT}
    words = (product, text(item, "skuName"), text(item, "meterName"))
    staged = {
        "provider_name": PROVIDER,
        "service_name": service,
        "sku_id": _required(item, "meterId"),
        "sku_price_id": text(item, "skuId"),
        "sku_description": " - ".join(filter(None, words)) or None,
        "region_id": None if _is_global(meter) else text(item, "armRegionName"),
        "instance_type": size if (size or "").startswith(("Standard_", "Basic_")) else None,
        "gpu_count": count,
        "gpu_model_name": model_name,
        **_bought(price, meter, told),
        "quantity_from": amount(item, "tierMinimumUnits") or Decimal(0),
        "pricing_unit": pricing_unit(_required(item, "unitOfMeasure"), "Tokens" if is_model else "Units"),
        "currency": settings.currency,
        "valid_from": _valid_from(item),
        "x_model_id": meter.model and _NAMED_APART.get(meter.scope or "", "") + meter.model,
        "x_token_class": meter.token_class,
        "x_service_tier": f"{meter.tier}+long-context" if meter.tier and meter.is_long_context else meter.tier,
        "x_extra": _extra(item, meter, new),
    }
    return StagedRow(staged, _identity(price), new, told)


def _is_global(meter: Meter) -> bool:
    """Whether it is the price of a model's tokens that holds in every region."""
    return meter.model is not None and meter.scope == "Global"


def _extra(item: JsonRow, meter: Meter, new: JsonRow) -> str | None:
    kept = {name: item.get(name) for name in sorted(_KEPT)}
    if _is_global(meter):
        kept["armRegionName"] = item.get("armRegionName")
    return extra_json({**kept, "deployment_scope": meter.scope, **new})


def _bought(price: Price, meter: Meter, told: list[str]) -> dict[str, Any]:
    """How it is bought, and for how much. A reservation's price is that of its whole term."""
    item, kind = price.item, text(price.item, "type")
    if price.plan is not None:
        return {
            "purchase_option": "savings_plan",
            "term_months": _months(text(price.plan, "term")),
            "unit_price": _money(price.plan, told),
        }
    if kind == "Reservation":
        return {
            "purchase_option": "reserved",
            "term_months": _months(text(item, "reservationTerm")),
            "payment_option": "all_upfront",
            "unit_price": Decimal(0),
            "upfront_price": _money(item, told),
        }
    if kind != "Consumption":
        raise RowError("not_sold_to_all", f"type is {kind!r}; Consumption or Reservation was expected", "type")
    names = f"{text(item, 'skuName')} {text(item, 'meterName')}".lower()
    if any(word in names for word in _SPOT):
        option = "spot"
    else:
        option = "provisioned" if meter.tier == "provisioned" else "on_demand"
    return {"purchase_option": option, "unit_price": _money(item, told)}


def _money(found: JsonRow, told: list[str]) -> Decimal:
    price = amount(found, "retailPrice")
    if price is None:
        price = amount(found, "unitPrice")
    if price is None:
        raise RowError("missing_price", "it has neither retailPrice nor unitPrice", "retailPrice")
    if price < 0:
        raise RowError("negative_price", f"retailPrice is {price}; a list price is never negative", "retailPrice")
    staged, is_rounded = staged_amount(price)
    if is_rounded:
        told.append("prices with more than 12 decimal places, rounded")
    return staged


def _months(term: str | None) -> int:
    """`1 Year`, `3 Years`, `1 Month`. Raises RowError for anything else: without its term a price means nothing."""
    found = re.fullmatch(r"(\d{1,2}) (Year|Month)s?", term or "")
    if found is None:
        raise RowError("unreadable_term", f"the term is {term!r}; expected such as '1 Year'", "reservationTerm")
    return int(found[1]) * (12 if found[2] == "Year" else 1)


def _plans(item: JsonRow) -> list[JsonRow]:
    plans = item.get("savingsPlan")
    return [plan for plan in plans if isinstance(plan, Mapping)] if isinstance(plans, list) else []


def _valid_from(item: JsonRow) -> Any:
    written = text(item, "effectiveStartDate")
    found = read_time(written) if written else None
    if written and found is None:
        raise RowError(
            "unreadable_time", f"effectiveStartDate is {written}; an instant was expected", "effectiveStartDate"
        )
    return found


def _require_currency(item: JsonRow, currency: str) -> None:
    if (found := text(item, "currencyCode")) != currency:
        raise RowError("wrong_currency", f"currencyCode is {found}; {currency} was asked for", "currencyCode")


def _required(item: JsonRow, name: str) -> str:
    found = text(item, name)
    if found is None:
        raise RowError("missing_value", f"{name} is empty; the list cannot be read without it", name)
    return found


def _identity(price: Price) -> tuple[object, ...]:
    names = ("meterId", "skuId", "armRegionName", "type", "reservationTerm", "tierMinimumUnits", "effectiveStartDate")
    plan = None if price.plan is None else price.plan.get("term")
    return (*(price.item.get(name) for name in names), price.item.get("armSkuName"), plan)
