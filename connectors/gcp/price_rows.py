"""A SKU of the Cloud Billing catalog as rows of `sku_prices`: one for each date, quantity tier and region."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.base import IncompleteDeliveryError
from connectors.exact import read_time
from connectors.fields import JsonRow, RowError, amount, shown, staged_amount, text
from connectors.gathered import StagedRow, extra_json
from connectors.gcp.bill_shape import PROVIDER
from connectors.gcp.prices_settings import COMPUTE_ENGINE, GcpPricesSettings
from connectors.gcp.vertex import is_expected_to_be_read, is_generative, read_description

_BOUGHT: Mapping[str, tuple[str, int | None]] = {
    "OnDemand": ("on_demand", None),
    "Preemptible": ("spot", None),
    "Commit1Mo": ("committed_use", 1),
    "Commit1Yr": ("committed_use", 12),
    "Commit3Yr": ("committed_use", 36),
}
_GPU = re.compile(r"\b(?:nvidia )?((?:tesla |rtx )?[a-z]+\d+[a-z0-9]*(?: \d+gb)?(?: [a-z]+)??) gpu\b", re.IGNORECASE)
_NANO = Decimal("1e-9")
_TAKEN = frozenset({"skuId", "description", "category", "serviceRegions", "pricingInfo"})
_KEPT = frozenset({"name", "serviceProviderName", "geoTaxonomy"})


@dataclass(frozen=True)
class Price:
    """One price: its SKU, the date from which it holds, the tier, and the region (None: everywhere)."""

    sku: JsonRow
    info: JsonRow
    rate: JsonRow
    region: str | None

    @property
    def found(self) -> dict[str, Any]:
        """What is shown where it is refused, and compared where it is repeated."""
        return {"sku": self.sku, "info": self.info, "rate": self.rate, "region": self.region}


def read_prices(document: Any, name: str, settings: GcpPricesSettings) -> Iterator[Price]:
    """The prices of one answer, in its order, without Compute Engine's other resource groups.

    Raises IncompleteDeliveryError for what is no answer of the catalog.
    """
    skus = document.get("skus", []) if isinstance(document, Mapping) else None
    if not isinstance(skus, list) or not all(isinstance(sku, Mapping) for sku in skus):
        raise IncompleteDeliveryError(f"{name}: this is no answer of the Cloud Billing catalog; fetch the day again")
    for sku in skus:
        if _is_wanted(sku, settings):
            yield from _prices_of(sku)


def stage_price(price: Price, settings: GcpPricesSettings) -> StagedRow:
    """The contract's columns. Raises RowError for what cannot be staged."""
    sku, expression, told = price.sku, _part(price.info, "pricingExpression"), list[str]()
    category = _part(sku, "category")
    description, service = _required(sku, "description"), _required(category, "serviceDisplayName")
    unit = text(expression, "usageUnitDescription") or _required(expression, "usageUnit")
    sku_id = _required(sku, "skuId")
    kept = {name: value for name, value in sku.items() if name not in _TAKEN}
    return StagedRow(
        {
            "provider_name": PROVIDER,
            "service_name": service,
            "sku_id": sku_id,
            "sku_description": description,
            "region_id": price.region,
            **_gpu(category, description),
            **_bought(category, description),
            "quantity_from": amount(price.rate, "startUsageAmount") or Decimal(0),
            "unit_price": _money(price.rate, settings.currency, told),
            "currency": settings.currency,
            "valid_from": _valid_from(price.info),
            **_model(service, description, unit, told),
            "x_extra": extra_json({**kept, "category": category, "pricingExpression": _unit_fields(expression)}),
        },
        (sku_id, price.info.get("effectiveTime"), price.rate.get("startUsageAmount"), price.region),
        sorted(kept.keys() - _KEPT),
        told,
    )


def _is_wanted(sku: JsonRow, settings: GcpPricesSettings) -> bool:
    category, is_compute = sku.get("category"), f"/{COMPUTE_ENGINE}/" in str(sku.get("name"))
    if not (is_compute and settings.compute_groups and isinstance(category, Mapping)):
        return True
    return category.get("resourceGroup") in settings.compute_groups


def _prices_of(sku: JsonRow) -> Iterator[Price]:
    """A SKU without a price, a tier or a region still gives one, so that it is refused and not lost."""
    for info in _listed(sku, "pricingInfo"):
        for rate in _listed(_part(info, "pricingExpression"), "tieredRates"):
            for region in sku.get("serviceRegions") or ["global"]:
                yield Price(sku, info, rate, None if region == "global" else str(region))


def _listed(row: JsonRow, name: str) -> list[JsonRow]:
    found = row.get(name)
    entries = [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []
    return entries or [{}]


def _part(row: JsonRow, name: str) -> JsonRow:
    found = row.get(name)
    return found if isinstance(found, Mapping) else {}


def _required(row: JsonRow, name: str) -> str:
    found = text(row, name)
    if found is None:
        raise RowError("missing_value", f"{name} is missing; every price of the catalog has it", name)
    return found


def _bought(category: JsonRow, description: str) -> dict[str, Any]:
    usage_type = _required(category, "usageType")
    if usage_type not in _BOUGHT:
        expected = ", ".join(_BOUGHT)
        raise RowError(
            "unknown_usage_type", f"usageType is {usage_type!r}; one of {expected} was expected", "usageType"
        )
    option, months = _BOUGHT[usage_type]
    words = description.lower()
    if option == "on_demand" and "dws calendar" in words:
        option = "capacity_block"
    elif "provisioned throughput" in words:
        option = "provisioned"
    return {
        "purchase_option": option,
        "term_months": months,
        "payment_option": "no_upfront" if option == "committed_use" else None,
    }


def _gpu(category: JsonRow, description: str) -> dict[str, Any]:
    """A GPU's SKU is the price of one, whatever machine it is in."""
    found = _GPU.search(description) if category.get("resourceGroup") == "GPU" else None
    return {"gpu_count": 1, "gpu_model_name": f"NVIDIA {found[1]}"} if found else {}


def _money(rate: JsonRow, currency: str, told: list[str]) -> Decimal:
    """Units and billionths of them, both whole numbers; the message leaves out the one that is zero.

    Raises RowError when there is no price at all.
    """
    price = _part(rate, "unitPrice")
    if not price:
        raise RowError("missing_value", "unitPrice is missing; every price of the catalog has it", "unitPrice")
    units, nanos = amount(price, "units"), amount(price, "nanos")
    if (found := text(price, "currencyCode")) != currency:
        raise RowError("wrong_currency", f"currencyCode is {shown(found)}; {currency} was asked for", "currencyCode")
    staged, was_rounded = staged_amount((units or Decimal(0)) + (nanos or Decimal(0)) * _NANO)
    if was_rounded:
        told.append("prices have more than 12 decimal places, which were rounded")
    return staged


def _valid_from(info: JsonRow) -> Any:
    found = text(info, "effectiveTime")
    instant = read_time(found) if found else None
    if found and instant is None:
        raise RowError(
            "unreadable_time", f"effectiveTime is {found!r}; an ISO 8601 instant was expected", "effectiveTime"
        )
    return instant


def _model(service: str, description: str, unit: str, told: list[str]) -> dict[str, Any]:
    """Columns of a model's price. What has a price of its own beside the plain one has no token class or tier of it."""
    if not is_generative(service):
        return {"pricing_unit": unit}
    line = read_description(description, unit)
    if not line.is_read and is_expected_to_be_read(description):
        told.append("prices of Vertex AI name a model and could not be placed")
    return {
        "pricing_unit": line.unit or unit,
        "x_model_id": line.model_id,
        "x_token_class": line.token_class if line.is_plain else None,
        "x_service_tier": f"{line.service_tier}+long-context" if line.is_long_context else line.service_tier,
    }


def _unit_fields(expression: JsonRow) -> dict[str, Any]:
    return {name: value for name, value in expression.items() if name != "tieredRates" and value not in (None, "")}
