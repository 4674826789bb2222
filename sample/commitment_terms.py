"""What Azure and Google Cloud say of the company's commitments when they are asked, saved day by day, page by page.

Shapes: Azure's lists of reservations, their orders and model deployments; Compute Engine's aggregated list of
commitments. `<folder>/<day>/<endpoint>/page-1.json`. Prices and quantities are those that the bills follow from.

Here belongs: the two providers' JSON, and the terms as the truth tells them. Here does not belong: costs of the month.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sample.azure_lines import (
    DEPLOYED_UNITS,
    DEPLOYMENT,
    DEPLOYMENT_ACCOUNT,
    ORDER,
    RESERVATION,
    RESERVATION_NAME,
    RESERVED_UNITS,
    reservation_price,
)
from sample.company import MONTH, NEXT_MONTH, SEARCH_PROJECT, SHARED_SUBSCRIPTION
from sample.gcp_lines import COMMITMENT, COMMITTED_GPUS

Json = dict[str, object]
_REGION, _DEPLOYED_ON = "eastus2", "2026-09-30T09:15:00Z"
_CUD_NAME, _CUD_REGION = "l4-serving", "us-central1"
_CUD_START, _CUD_END = datetime(2026, 6, 1, 7), datetime(2027, 6, 1, 7)  # noqa: DTZ001 - UTC; midnight in California


def write_azure_terms(folder: Path, days: Sequence[date]) -> None:
    """Writes what Azure answers on each of the days: from October on one reservation, and the deployment it covers."""
    orders = "/providers/Microsoft.Capacity/reservationOrders"
    term: Json = {"term": "P1M", "billingPlan": "Upfront", "provisioningState": "Succeeded"}
    ordered: Json = {**term, "originalQuantity": RESERVED_UNITS}
    order: Json = {"id": f"{orders}/{ORDER}", "type": "Microsoft.Capacity/reservationOrders", "name": ORDER}
    price: Json = {"currencyCode": "USD", "amount": float(reservation_price())}
    schedule: Json = {"pricingCurrencyTotal": price, "startDate": str(MONTH)}
    reservation: Json = {
        "id": f"{orders}/{ORDER}/reservations/{RESERVATION}",
        "type": "Microsoft.Capacity/reservationOrders/reservations",
        "name": f"{ORDER}/{RESERVATION}",
        "location": _REGION,
        "sku": {"name": "PTU_Global"},
        "properties": {
            **term,
            "displayName": RESERVATION_NAME,
            "reservedResourceType": "OpenAIPTU",
            "appliedScopeType": "Shared",
            "billingScopeId": f"/subscriptions/{SHARED_SUBSCRIPTION}",
            "quantity": RESERVED_UNITS,
            "benefitStartTime": f"{MONTH}T00:00:00Z",
            "expiryDateTime": f"{NEXT_MONTH}T00:00:00Z",
        },
    }
    answers: Mapping[str, Json] = {
        "reservations": _list(reservation),
        "reservationOrders": _list({**order, "properties": ordered}),
        "orderDetails": {**order, "properties": {**ordered, "planInformation": schedule}},
        "savingsPlans": _list(),
        "accounts": _list(_account()),
        "deployments": _list(_deployment()),
    }
    none = {endpoint: _list() for endpoint in ("reservations", "reservationOrders", "savingsPlans", "accounts")}
    _write(folder, [day for day in days if day < MONTH], none)
    _write(folder, [day for day in days if day >= MONTH], answers)


def write_gcp_terms(folder: Path, days: Sequence[date]) -> None:
    """Writes what Compute Engine answers on each of the days: one commitment for GPUs."""
    region = f"https://www.googleapis.com/compute/v1/projects/{SEARCH_PROJECT}/regions/{_CUD_REGION}"
    commitment: Json = {
        "kind": "compute#commitment",
        "id": COMMITMENT,
        "name": _CUD_NAME,
        "region": region,
        "selfLink": f"{region}/commitments/{_CUD_NAME}",
        "status": "ACTIVE",
        "plan": "TWELVE_MONTH",
        "startTimestamp": f"{_CUD_START - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}.000-07:00",
        "endTimestamp": f"{_CUD_END - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}.000-07:00",
        "type": "GRAPHICS_OPTIMIZED",
        "category": "MACHINE",
        "resources": [{"type": "ACCELERATOR", "acceleratorType": "nvidia-l4", "amount": str(COMMITTED_GPUS)}],
    }
    items: Json = {
        f"regions/{_CUD_REGION}": {"commitments": [commitment]},
        "regions/us-east1": {"warning": {"code": "NO_RESULTS_ON_PAGE"}},
    }
    _write(folder, days, {"commitments": {"kind": "compute#commitmentAggregatedList", "items": items}})


def true_terms(deployed_cost: str) -> Mapping[str, Mapping[str, object]]:
    """The terms by commitment and deployment. `deployed_cost`: what the deployed units cost in the month, as text."""
    return {
        RESERVATION: {
            "commitment_discount_name": RESERVATION_NAME,
            "scope": "Shared",
            "region_id": _REGION,
            "quantity": _twelve(RESERVED_UNITS),
            "quantity_unit": "PTU",
            "term_start": f"{MONTH}T00:00:00",
            "term_end": f"{NEXT_MONTH}T00:00:00",
            "payment_option": "all_upfront",
            "upfront_cost": _twelve(reservation_price()),
            "deployment_cost": None,
        },
        COMMITMENT: {
            "commitment_discount_name": _CUD_NAME,
            "scope": f"region {_CUD_REGION}",
            "region_id": _CUD_REGION,
            "quantity": _twelve(COMMITTED_GPUS),
            "quantity_unit": "GPU",
            "term_start": _CUD_START.isoformat(),
            "term_end": _CUD_END.isoformat(),
            "payment_option": "no_upfront",
            "upfront_cost": None,
            "deployment_cost": None,
        },
        f"{DEPLOYMENT_ACCOUNT}/deployments/{DEPLOYMENT}": {
            "commitment_discount_name": DEPLOYMENT,
            "scope": "Global",
            "region_id": _REGION,
            "quantity": _twelve(DEPLOYED_UNITS),
            "quantity_unit": "PTU",
            "term_start": _DEPLOYED_ON.removesuffix("Z"),
            "term_end": None,
            "payment_option": "hourly",
            "upfront_cost": None,
            "deployment_cost": deployed_cost,
        },
    }


def _account() -> Json:
    return {
        "id": DEPLOYMENT_ACCOUNT,
        "type": "Microsoft.CognitiveServices/accounts",
        "kind": "OpenAI",
        "location": _REGION,
    }


def _deployment() -> Json:
    return {
        "id": f"{DEPLOYMENT_ACCOUNT}/deployments/{DEPLOYMENT}",
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "name": DEPLOYMENT,
        "sku": {"name": "GlobalProvisionedManaged", "capacity": DEPLOYED_UNITS},
        "systemData": {"createdAt": _DEPLOYED_ON},
        "properties": {
            "model": {"format": "OpenAI", "name": "gpt-5-mini", "version": "2025-08-07"},
            "provisioningState": "Succeeded",
        },
    }


def _list(*items: Json) -> Json:
    return {"value": list(items), "nextLink": None}


def _twelve(amount: Decimal | int) -> str:
    return f"{Decimal(amount):.12f}"


def _write(folder: Path, days: Sequence[date], answers: Mapping[str, Json]) -> None:
    for day in days:
        for endpoint, answer in answers.items():
            file = folder / str(day) / endpoint / "page-1.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(answer) + "\n", encoding="utf-8")
