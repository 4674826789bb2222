"""One result of a cost report as a row of `charges`. The report counts in cents; the ledger in dollars.

Here belongs: cents to dollars, and FOCUS terms. Here does not belong: the report's totals.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.anthropic.answers import Entry, Fields
from connectors.anthropic.dimensions import (
    COLUMNLESS,
    PROVIDER,
    fields_of,
    identity,
    leftovers,
    news,
    period,
    region,
    service_tier,
)
from connectors.anthropic.settings import CostsSettings
from connectors.base import Window
from connectors.exact import ROUNDED
from connectors.fields import RowError, amount, count, shown, staged_amount, text
from connectors.gathered import StagedRow, extra_json

Row = dict[str, Any]

FIGURES = frozenset({"amount", "list_amount", "currency", "requests"})
DIMENSIONS = frozenset(
    {
        *("api_key_id", "context_window", "cost_type", "description", "inference_geo", "model", "service_tier"),
        *("token_type", "workspace_id"),
        *COLUMNLESS,
    }
)
_CURRENCY = "USD"
_HUNDREDTHS = frozenset({"AUD", "BRL", "CAD", "CHF", "CNY", "EUR", "GBP", "HKD", "INR", "MXN", "SGD"})
"""Currencies whose lowest unit is the hundredth, as the dollar's."""

_TOKENS = "tokens"
_TOKEN_CLASSES = {
    "uncached_input_tokens": "input_uncached",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output_text",
}


_NEW_TYPE = "lines with a token_type that is new: they have no token class, x_extra keeps it"
_NUMBER = "amounts that came as JSON numbers instead of text; they were read digit for digit, as cents"
_ROUNDED = f"amounts in dollars {ROUNDED}"


@dataclass(frozen=True)
class Money:
    """Dollars: all digits that were written, and the twelve decimal places that are staged."""

    exact: Decimal
    staged: Decimal
    told: tuple[str, ...] = ()


def charged(entry: Entry) -> Money:
    """What the line charges. Raises RowError without an amount, and for a currency that is not the dollar.

    The report counts in a currency's lowest units: another one's amount is readable where that is a hundredth.
    """
    fields = fields_of(entry)
    currency = fields.get("currency")
    if currency != _CURRENCY:
        told = f"currency is {shown(currency)}; expected USD"
        if not isinstance(currency, str) or currency not in _HUNDREDTHS:
            raise RowError("wrong_currency", told, "currency")
        foreign = _hundredths(fields, "amount")
        raise RowError("wrong_currency", told, "currency", foreign.staged if foreign else None, currency)
    money = _hundredths(fields, "amount")
    if money is None:
        raise RowError("missing_value", "expected an amount of cents, as the cost report has it", "amount")
    return money


def cost_row(entry: Entry, money: Money, settings: CostsSettings, window: Window) -> StagedRow:
    """The charge, in USD. Raises RowError, with the cost, when the line cannot be staged."""
    try:
        return _staged(entry, money, settings, window)
    except RowError as error:
        raise RowError(error.reason, error.detail, error.column, money.staged) from None


def _hundredths(fields: Fields, name: str) -> Money | None:
    """The amount of cents under that name in whole units; None where there is none. Raises RowError when unreadable."""
    cents = amount(fields, name)
    if cents is None:
        return None
    sign, digits, exponent = cents.as_tuple()
    exact = Decimal((sign, digits, int(exponent) - 2))  # the point moves: no digit can be lost, whatever the precision
    staged, is_rounded = staged_amount(exact)
    told = [_NUMBER] * (not isinstance(fields[name], str)) + [_ROUNDED] * is_rounded
    return Money(exact, staged, tuple(told))


def _staged(entry: Entry, money: Money, settings: CostsSettings, window: Window) -> StagedRow:
    fields = fields_of(entry)
    start, end = period(entry, window)
    listed, requests = _hundredths(fields, "list_amount"), count(fields, "requests")
    left = leftovers(fields, (DIMENSIONS - COLUMNLESS) | FIGURES)
    token_type = text(fields, "token_type")
    is_new_type = token_type is not None and token_type not in _TOKEN_CLASSES
    extra = {
        **left,
        "context_window": text(fields, "context_window"),
        "token_type": token_type if is_new_type else None,
    }
    row: Row = {
        **_who(fields, settings),
        **_what(fields, token_type),
        "billing_currency": _CURRENCY,
        "billing_period_start": window.start,
        "billing_period_end": window.end,
        "charge_period_start": start,
        "charge_period_end": end,
        "billed_cost": money.staged,
        "effective_cost": money.staged,
        "list_cost": None if listed is None else listed.staged,
        "consumed_quantity": None if requests is None else Decimal(requests),
        "consumed_unit": None if requests is None else "requests",
        "x_extra": extra_json(extra),
    }
    told = [*money.told, *(listed.told if listed else ()), *([_NEW_TYPE] if is_new_type else [])]
    return StagedRow(row, identity(entry, FIGURES), news(left), told)


def _who(fields: Fields, settings: CostsSettings) -> Row:
    """Organisation, workspace (NULL is the default one) and, where the report tells it, the key."""
    key = text(fields, "api_key_id")
    return {
        "billing_account_id": settings.account,
        "sub_account_id": text(fields, "workspace_id"),
        "provider_name": PROVIDER,
        "invoice_issuer_name": PROVIDER,
        "resource_id": key,
        "resource_type": None if key is None else "api_key",
    }


def _what(fields: Fields, token_type: str | None) -> Row:
    """What is charged for: a class of tokens of a model, web searches, code execution, session time."""
    cost_type = text(fields, "cost_type") or (_TOKENS if token_type else None)
    return {
        "charge_category": "Usage",
        "charge_description": text(fields, "description"),
        "charge_frequency": "Usage-Based",
        "service_category": "AI and Machine Learning",
        "service_name": "Claude API",
        "sku_meter": token_type or cost_type,
        "region_id": region(fields),
        "x_model_id": text(fields, "model"),
        "x_token_class": _TOKEN_CLASSES.get(token_type or ""),
        "x_service_tier": service_tier(fields),
        "x_charge_type": cost_type,
    }
