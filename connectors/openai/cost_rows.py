"""One result of the cost report as a row of `charges`."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.base import Window
from connectors.exact import ROUNDED
from connectors.fields import JsonRow, RowError, amount, printable, shown, staged_amount, text
from connectors.gathered import StagedRow, extra_json
from connectors.openai.line_items import LineItem, charge_category, read_line_item
from connectors.openai.pages import bucket_period
from connectors.openai.settings import OpenAiCostsSettings

PROVIDER = "OpenAI"
_RESULT = "organization.costs.result"
_UNITS = {
    "tokens": "Tokens",
    "1000_tokens": "1000 Tokens",
    "duration_seconds": "Seconds",
    "duration_minutes": "Minutes",
    "duration_hours": "Hours",
    "gibibyte_hours": "GiB-Hours",
    "images": "Images",
    "characters": "Characters",
}
"""The provider's units in the form that FOCUS asks for; any other keeps its own name."""

_KNOWN = {
    "object", "amount", "line_item", "project_id", "project_name", "api_key_id", "user_id", "quantity",
    "quantity_unit", "organization_id", "organization_name", "api_source",
}  # fmt: skip
_ROUNDED = f"costs {ROUNDED}"
_UNKNOWN_ITEM = "lines have line items that no rule reads, and keep them as service"
_NO_ITEM = "lines are not separated by line item"
_NO_KEY = "lines name no API key, though they were asked by it"


@dataclass(frozen=True)
class CostReading:
    """What reading a month's costs needs to know: settings, month, and the names of projects by their ids."""

    settings: OpenAiCostsSettings
    window: Window
    projects: Mapping[str, str]

    def stage(self, bucket: Any, result: Any) -> StagedRow:
        """The contract's columns of one result of a bucket, all but those of the delivery itself.

        Costs are in USD, as the source writes them, at twelve decimal places.
        Raises RowError, with the cost where it is readable, for a value that is unreadable or another currency.
        """
        if not isinstance(result, dict):
            bucket_period(bucket, self.window)
            raise RowError("not_an_object", f"a result is {shown(result)}; an object was expected")
        billed, is_rounded = _billed(result)
        try:
            return self._row(bucket_period(bucket, self.window), result, billed, is_rounded=is_rounded)
        except RowError as error:
            raise RowError(error.reason, str(error), error.column, billed) from None

    def _row(self, period: Window, result: JsonRow, billed: Decimal, *, is_rounded: bool) -> StagedRow:
        item = read_line_item(text(result, "line_item"))
        new = {name: value for name, value in result.items() if name not in _KNOWN}
        row = {
            **_of_account(result, self.settings, self.projects),
            "billing_period_start": self.window.start,
            "billing_period_end": self.window.end,
            "charge_period_start": period.start,
            "charge_period_end": period.end,
            **_of_service(result, item),
            "billing_currency": "USD",
            "billed_cost": billed,
            "effective_cost": billed,
            **_consumed(result),
            "x_extra": extra_json({**_kept(result, item), **new}),
        }
        identity = [period.start, period.end, {n: v for n, v in result.items() if n not in ("amount", "quantity")}]
        told = [*([_ROUNDED] if is_rounded else []), *_unread(item)]
        if self.settings.by_api_key and row["resource_id"] is None:
            told.append(_NO_KEY)
        return StagedRow(row, identity, new, told)


def _billed(result: JsonRow) -> tuple[Decimal, bool]:
    """The cost at twelve decimal places, and whether that rounded it."""
    if result.get("object") != _RESULT:
        raise RowError("unknown_object", f"object is {shown(result.get('object'))}; expected {_RESULT}", "object")
    money = result.get("amount")
    if not isinstance(money, dict):
        raise RowError("missing_value", f"amount is {shown(money)}; expected value and currency", "amount")
    found = amount(money, "value")
    if found is None:
        raise RowError("missing_value", "amount has no value", "amount")
    billed, is_rounded = staged_amount(found)
    currency = money.get("currency")
    if not isinstance(currency, str):  # of an amount in nobody knows what there is no sum
        raise RowError("wrong_currency", f"currency is {shown(currency)}; usd was expected", "amount")
    if currency.upper() != "USD":
        told = f"currency is {shown(currency)}; usd was expected"
        raise RowError("wrong_currency", told, "amount", billed, printable(currency.upper()))
    return billed, is_rounded


def _of_account(result: JsonRow, settings: OpenAiCostsSettings, projects: Mapping[str, str]) -> dict[str, Any]:
    project, key = text(result, "project_id"), text(result, "api_key_id")
    return {
        "billing_account_id": settings.account,
        "billing_account_name": text(result, "organization_name"),
        "sub_account_id": project,
        "sub_account_name": text(result, "project_name") or projects.get(project or ""),
        "resource_id": key,
        "resource_type": "api_key" if key else None,
        "provider_name": PROVIDER,
        "invoice_issuer_name": PROVIDER,
    }


def _of_service(result: JsonRow, item: LineItem) -> dict[str, Any]:
    words = text(result, "line_item")
    return {
        "charge_category": charge_category(words),
        "charge_description": words,
        "charge_frequency": "Usage-Based",
        "service_category": "AI and Machine Learning",
        "service_name": "OpenAI API" if item.model or words is None else words,
        "sku_id": words,
        "sku_meter": item.meter,
        "x_model_id": item.model,
        "x_token_class": item.token_class,
        "x_service_tier": item.service_tier,
        "x_purchase_option": "provisioned" if item.service_tier == "provisioned" else None,
    }


def _consumed(result: JsonRow) -> dict[str, Any]:
    """Quantity and unit; the source leaves out the quantity where it mixes units."""
    unit, found = text(result, "quantity_unit"), amount(result, "quantity")
    return {
        "consumed_quantity": None if found is None else staged_amount(found)[0],
        "consumed_unit": _UNITS.get(unit, unit) if unit and found is not None else None,
    }


def _kept(result: JsonRow, item: LineItem) -> dict[str, Any]:
    """What has no column."""
    return {
        "context": item.context,
        "surface": item.surface,
        "api_source": text(result, "api_source"),
        "user_id": text(result, "user_id"),
    }


def _unread(item: LineItem) -> list[str]:
    if item.is_known:
        return []
    return [_NO_ITEM if item.meter is None else f"{_UNKNOWN_ITEM}: {item.meter}"]
