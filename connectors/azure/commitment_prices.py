"""What a commitment of Azure's costs, as far as the answers tell: never a price that is half known.

Here belongs: prices and payment plans. Here does not belong: terms, scopes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from connectors.exact import at_scale
from connectors.fields import JsonRow, amount, text

_PLANS: Mapping[str, str] = {"upfront": "all_upfront", "monthly": "no_upfront", "p1m": "no_upfront"}


@dataclass(frozen=True)
class Price:
    """A price, and how it is paid; `why_unknown` are words for people where there should be one and is none."""

    payment_option: str | None = None
    hourly_cost: Decimal | None = None
    upfront_cost: Decimal | None = None
    currency: str | None = None
    why_unknown: str | None = None


def reservation_price(
    order: JsonRow, quantity: Decimal | None, plan: str | None, start: datetime | None, end: datetime | None
) -> Price:
    """A reservation's part of its order's price.

    Args:
        order: The order's properties, with `planInformation`; empty where nobody told.
        quantity: The reservation's own.
        plan: Its billing plan; the order's where it has none.
        start: The term's first instant.
        end: The first instant after it.

    Raises RowError for amounts that cannot be read.
    """
    payment = _payment(plan or text(order, "billingPlan"))
    schedule = order.get("planInformation")
    whole = schedule.get("pricingCurrencyTotal") if isinstance(schedule, Mapping) else None
    total = amount(whole, "amount") if isinstance(whole, Mapping) else None
    ordered = amount(order, "originalQuantity")
    if not isinstance(schedule, Mapping) or not isinstance(whole, Mapping) or total is None:
        return Price(payment, why_unknown="the order's schedule of payments was not told")
    if not ordered or quantity is None or quantity > ordered:
        return Price(payment, why_unknown="its part of the order is not told")
    currency = text(whole, "currencyCode")
    with localcontext(prec=60):
        own = total * quantity / ordered
        if payment == "all_upfront":
            return Price(payment, Decimal(0), at_scale(own), currency)
        if payment != "no_upfront" or start is None or end is None:
            return Price(payment, why_unknown="its plan of payments or its term is not told")
        if _is_one_payment(schedule, total):
            return Price(payment, why_unknown="the order's total is that of a single month's payment")
        return Price(payment, at_scale(own * 3600 / _seconds(start, end)), Decimal(0), currency)


def plan_price(hourly: Decimal | None, currency: str | None, plan: str | None) -> Price:
    """A savings plan's price: monthly payments are the commitment's hours; what was paid at once is not told.

    The API requires a billing plan of monthly payments only: without one the plan was paid at once.
    """
    payment = "all_upfront" if plan is None else _payment(plan)
    if payment is None:
        return Price(currency=currency, why_unknown=f"their plan of payments is {plan!r}")
    if payment == "no_upfront":
        return Price(payment, hourly, Decimal(0), currency)
    return Price(payment, Decimal(0), None, currency)


def _payment(plan: str | None) -> str | None:
    return _PLANS.get((plan or "").lower())


def _is_one_payment(schedule: JsonRow, total: Decimal) -> bool:
    """Whether a monthly payment is as large as the whole: then one of them is not what it says it is."""
    payments = schedule.get("transactions")
    found = [payment.get("pricingCurrencyTotal") for payment in payments or () if isinstance(payment, Mapping)]
    return len(found) > 1 and any(isinstance(paid, Mapping) and amount(paid, "amount") == total for paid in found)


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal(int((end - start).total_seconds()))
