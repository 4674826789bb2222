"""One reservation, savings plan or provisioned deployment of Azure's, as a row of `commitment_terms`.

An order may hold several reservations, after a split: each has the part of the order's price that it has of its
quantity. A deployment of provisioned throughput is paid by the hour for as long as it is there, and promises nothing:
its `payment_option` is hourly, and it has no end. Source: Azure's REST reference of Microsoft.Capacity,
Microsoft.BillingBenefits and Microsoft.CognitiveServices.

Here belongs: what an item says. Here does not belong: which items there are (`commitment_answers`), use (bills say).
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.azure.commitment_answers import DEPLOYMENT, PLAN, RESERVATION, path_of, properties_of
from connectors.azure.commitment_prices import Price, plan_price, reservation_price
from connectors.exact import read_time
from connectors.fields import JsonRow, RowError, amount, shown, text
from connectors.gathered import StagedRow, extra_json

PROVIDER = "Microsoft"
PTU = "PTU"
Explaining = Mapping[str, JsonRow]
_REACH: Mapping[str, str] = {
    "globalprovisionedmanaged": "Global",
    "datazoneprovisionedmanaged": "Data Zone",
    "provisionedmanaged": "Regional",
    "provisioned": "Regional",
}
_TERM = re.compile(r"P(\d{1,2})([MY])")
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_TAKEN = frozenset(
    {"displayName", "appliedScopes", "appliedScopeType", "appliedScopeProperties", "billingScopeId", "quantity"}
    | {"benefitStartTime", "purchaseDateTime", "effectiveDateTime", "expiryDate", "expiryDateTime", "term"}
    | {"billingPlan", "provisioningState", "displayProvisioningState", "commitment", "model"}
)
_KEPT = frozenset(
    {"reservedResourceType", "instanceFlexibility", "skuDescription", "renew", "archived", "splitProperties"}
    | {"mergeProperties", "swapProperties", "extendedStatusInfo", "billingProfileId", "customerId", "billingAccountId"}
    | {
        "currentCapacity",
        "dynamicThrottlingEnabled",
        "versionUpgradeOption",
        "raiPolicyName",
        "spilloverDeploymentName",
    }
    | {"capacitySettings", "deploymentState", "parentDeploymentName", "renewSource", "renewDestination"}
)
_DROPPED = frozenset(  # what changes with every look, is written twice, or is of no use to anybody
    {"utilization", "lastUpdatedDateTime", "purchaseDate", "provisioningSubState", "userFriendlyAppliedScopeType"}
    | {"userFriendlyRenewState", "capabilities", "rateLimits", "callRateLimit", "renewProperties", "reviewDateTime"}
)


def row_maker(item: JsonRow, kind: str) -> Callable[[Explaining], StagedRow] | None:
    """What stages the item; None where it commits nobody: an order, an account, a deployment paid by the token."""
    if kind == RESERVATION:
        return lambda explaining: _reservation(item, explaining)
    if kind == PLAN:
        return lambda _: _plan(item)
    if kind == DEPLOYMENT and _reach(item) is not None:
        return lambda explaining: _deployment(item, explaining)
    return None


def _reservation(item: JsonRow, explaining: Explaining) -> StagedRow:
    path, found = path_of(item), properties_of(item)
    sold, told = text(found, "reservedResourceType") or "", list[str]()
    order = explaining.get(path.partition("/reservations/")[0], {})
    quantity = amount(found, "quantity")
    start, end = _term(found, text(found, "term") or text(properties_of(order), "term"))
    price = reservation_price(properties_of(order), quantity, text(found, "billingPlan"), start, end)
    if price.why_unknown:
        told.append(f"reservations without a price: {price.why_unknown}")
    new = _new(found)
    row = {
        **_common(item, found, price),
        "sub_account_id": _subscription(text(found, "billingScopeId")),
        "commitment_discount_id": _last(path),
        "commitment_discount_type": "Reservation",
        "commitment_discount_category": "Usage",
        "region_id": _region(item),
        "instance_type": _sku(item),
        "quantity": quantity,
        "quantity_unit": _unit(sold, _sku(item) or ""),
        "term_start": start,
        "term_end": end,
        "x_extra": _extra(found, new, order=path.partition("/reservations/")[0].rpartition("/")[2]),
    }
    return StagedRow(row, path, new, told)


def _plan(item: JsonRow) -> StagedRow:
    path, found = path_of(item), properties_of(item)
    committed = found.get("commitment")
    if not isinstance(committed, Mapping) or committed.get("grain") != "Hourly":
        raise RowError("unknown_commitment", f"commitment is {shown(committed)}; an amount for each hour was expected")
    currency, hourly = text(committed, "currencyCode"), amount(committed, "amount")
    start, end = _term(found, text(found, "term"))
    price = plan_price(hourly, currency, text(found, "billingPlan"))
    told = [f"savings plans without a price: {price.why_unknown}"] if price.why_unknown else []
    new = _new(found)
    row = {
        **_common(item, found, price),
        "sub_account_id": _subscription(text(found, "billingScopeId")),
        "commitment_discount_id": _last(path),
        "commitment_discount_type": "SavingsPlan",
        "commitment_discount_category": "Spend",
        "instance_type": _sku(item),
        "quantity": hourly,
        "quantity_unit": f"{currency}/Hour",
        "term_start": start,
        "term_end": end,
        "x_extra": _extra(found, new, order=path.partition("/savingsplans/")[0].rpartition("/")[2]),
    }
    return StagedRow(row, path, new, told)


def _deployment(item: JsonRow, explaining: Explaining) -> StagedRow:
    path, found = path_of(item), properties_of(item)
    account = path.partition("/deployments/")[0]
    sku, model = item.get("sku"), found.get("model")
    units = amount(sku, "capacity") if isinstance(sku, Mapping) else None
    created = item.get("systemData")
    new = _new(found)
    named = {f"model_{name}": model.get(name) for name in ("name", "version", "format")} if model else {}
    row = {
        **_common(item, found, Price()),
        "sub_account_id": _subscription(path),
        "commitment_discount_id": path,
        "resource_id": account,
        "commitment_discount_name": text(item, "name"),
        "commitment_discount_type": "Provisioned Deployment",
        "commitment_discount_category": "Usage",
        "scope": _reach(item),
        "region_id": _region(explaining.get(account, {})),
        "instance_type": text(model, "name") if isinstance(model, Mapping) else None,
        "quantity": units,
        "quantity_unit": PTU,
        "term_start": _instant(created, "createdAt") if isinstance(created, Mapping) else None,
        "payment_option": "hourly",
        "x_extra": _extra(found, new, **named),
    }
    return StagedRow(row, path, new)


def _common(item: JsonRow, found: JsonRow, price: Price) -> dict[str, Any]:
    state = text(found, "displayProvisioningState") or text(found, "provisioningState")
    if state is None or not path_of(item):
        raise RowError("missing_value", "it has no id, or no provisioningState; both were expected")
    return {
        "provider_name": PROVIDER,
        "commitment_discount_name": text(found, "displayName"),
        "scope": _scope(found),
        "payment_option": price.payment_option,
        "hourly_cost": price.hourly_cost,
        "upfront_cost": price.upfront_cost,
        "currency": price.currency,
        "state": state,
    }


def _term(found: JsonRow, term: str | None) -> tuple[datetime | None, datetime | None]:
    """The term's first instant and the first after it. Raises RowError where it ends before it begins."""
    start = next(filter(None, (_instant(found, name) for name in ("benefitStartTime", "purchaseDateTime"))), None)
    end, length = _instant(found, "expiryDateTime"), _TERM.fullmatch(term or "")
    if end is None and start is not None and length is not None:
        end = _months_after(start, int(length[1]) * (12 if length[2] == "Y" else 1))
    end = end or _instant(found, "expiryDate")
    if start is not None and end is not None and end <= start:
        raise RowError("term_not_forward", f"the term begins {start} and ends {end}", "expiryDateTime")
    return start, end


def _months_after(start: datetime, months: int) -> datetime:
    """The same instant of a later month, or of its last day where it is too short."""
    years, month = divmod(start.month - 1 + months, 12)
    last_day = monthrange(start.year + years, month + 1)[1]
    return start.replace(year=start.year + years, month=month + 1, day=min(start.day, last_day))


def _instant(found: JsonRow, name: str) -> datetime | None:
    written = text(found, name)
    instant = None if written is None else read_time(written)
    if written is not None and instant is None:
        raise RowError("unreadable_time", f"{name} is {written}; an instant was expected", name)
    return instant


def _scope(found: JsonRow) -> str | None:
    """What it covers: shared, or the subscription, resource group or management group that it is limited to."""
    kind, limits = text(found, "appliedScopeType"), found.get("appliedScopes")
    given = found.get("appliedScopeProperties")
    within = [str(limit) for limit in limits] if isinstance(limits, list) else []
    if not within and isinstance(given, Mapping):
        names = ("resourceGroupId", "subscriptionId", "managementGroupId")
        within = [limit for name in names if (limit := text(given, name))][:1]
    return " ".join(filter(None, (kind, ", ".join(sorted(within)).lower()))) or None


def _unit(sold: str, sku: str) -> str | None:
    words = f"{sold} {sku}".lower()
    if "openai" in words or "ptu" in words or "provisionedmanaged" in words.replace("_", ""):
        return PTU
    return "instances" if sold.lower() == "virtualmachines" else None


def _reach(item: JsonRow) -> str | None:
    """How far a deployment of provisioned throughput reaches; None for one that is paid by the token."""
    return _REACH.get((_sku(item) or "").lower())


def _sku(item: JsonRow) -> str | None:
    sku = item.get("sku")
    return text(sku, "name") if isinstance(sku, Mapping) else None


def _region(item: JsonRow) -> str | None:
    found = text(item, "location")
    return found.replace(" ", "").lower() if found else None


def _subscription(path: str | None) -> str | None:
    found = _SUBSCRIPTION.match(path or "")
    return found[1].lower() if found else None


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _new(found: JsonRow) -> JsonRow:
    return {name: value for name, value in found.items() if name not in _TAKEN | _KEPT | _DROPPED}


def _extra(found: JsonRow, new: JsonRow, **more: object) -> str | None:
    kept = {name: found[name] for name in sorted(_KEPT) if found.get(name) not in (None, [], {})}
    return extra_json({**kept, **more, **new})
