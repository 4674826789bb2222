"""Why a month cost more or less than the one before: the factors of `variance_bridge`, adding up to the change.

Here belongs: the factors in words and their table. Here does not belong: parting the change, which the mart does.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from models.minor_units import minor_unit
from reports.breakdown import Sum, split
from reports.change import Change
from reports.given import Period
from reports.money import EXACT, ZERO, exact_sum, format_money, round_to
from reports.tables import Table, signed_table
from reports.wording import clean

FACTORS: Mapping[str, tuple[str, str]] = {
    "volume": ("Number of requests", "At what each model's request cost before"),
    "mix": ("Which models were asked", "Dearer or cheaper models' share of the requests"),
    "tokens_per_request": ("Length of requests", "Input and output tokens of a request"),
    "cache_rate": ("Cached part of the tokens", "Input from the cache, written to it or fresh"),
    "price": ("Price of the same tokens", "List prices, discounts, tiers, and bill money that no log explains"),
    "gpu_hours": ("GPU hours held", "At each type's price of the month before"),
    "gpu_price": ("Price of a GPU hour", "And what else changed of GPU money"),
    "shared": ("Shares of pools", "What shared pools brought, but for GPUs"),
    "adjustment": ("Corrections", "Adjustments of locked months and known errors"),
    "other": ("What no log meters", "Seats, storage, models that only the bill knows"),
}
"""Every factor of `variance_bridge` in words, and what it means."""
_ABROAD = ("Other currencies", "Rates of the two months, and currencies that were charged in one of them only")
_NAMED = 2  # models beside a factor


def why_table(
    rows: Iterable[Mapping[str, Any]], rates: Mapping[str, Decimal], change: Change, period: Period, currency: str
) -> Table | None:
    """The factors as printed: they add up to the change; None without rows, or while the month is running.

    Args:
        rows: the account's rows of `variance_bridge`, converted at `rates`.
        rates: the month's rate of every currency that has one.
        change: the change as printed, in `currency`.
        period: the month. One that is not over is held against a whole one by the mart, and has no factors here.
        currency: of the statement.
    """
    told = [row for row in rows if row["billing_period"] == period.start]
    known = [row for row in told if row["billing_currency"] in rates]
    if not known or period.state == "open":
        return None
    sums = [_sum(name, known, rates, currency) for name in dict.fromkeys(row["factor"] for row in known)]
    rest = EXACT.subtract(change.difference, exact_sum(amount for _, _, amount in sums))
    if abs(rest) > _slack(currency):
        abroad = {row["billing_currency"] for row in told} - {currency}
        label, note = _ABROAD if abroad else ("Not broken down", "")
        sums.append((label, note, rest))
    table = signed_table(
        "why",
        "Why it moved",
        f"Against {change.previous_label}",
        split(sums, change.difference, currency, None),
        currency,
        total_label="Change",
    )
    return table if table.rows else None


def _slack(currency: str) -> Decimal:
    """By what a difference of two rounded totals may differ from the exact one."""
    return minor_unit(currency)


def _sum(factor: str, rows: Iterable[Mapping[str, Any]], rates: Mapping[str, Decimal], currency: str) -> Sum:
    label, meaning = FACTORS.get(factor, (clean(factor.replace("_", " ")).capitalize(), ""))
    by_model: dict[str, Decimal] = {}
    for row in rows:
        if row["factor"] == factor:
            amount = EXACT.multiply(row["change_cost"], rates[row["billing_currency"]])
            by_model[row["model_id"]] = EXACT.add(by_model.get(row["model_id"], ZERO), amount)
    shown = [(model, amount) for model, amount in by_model.items() if model and round_to(amount, minor_unit(currency))]
    shown.sort(key=lambda one: (-abs(one[1]), one[0]))
    named = ", ".join(
        f"{clean(model)} {format_money(amount, currency, signed=True)}" for model, amount in shown[:_NAMED]
    )
    note = ": ".join(filter(None, (meaning, named))) + (" and others" if len(shown) > _NAMED else "")
    return label, note, exact_sum(by_model.values())
