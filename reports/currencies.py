"""Costs in several currencies: converted at their month's rate, or told apart, in their own, where there is none.

Here belongs: which rows are in the statement's sums, and what is said of the others. Here does not belong: rates.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import polars as pl

from reports.breakdown import as_listed
from reports.given import Period
from reports.money import exact_sum, format_money
from reports.tables import NO_VALUE, Row, Table
from reports.wording import clean

_PLUS = " +\N{NO-BREAK SPACE}"  # a line may break before the sign, never after it

Amounts = tuple[tuple[str, Decimal], ...]
"""Exact amounts by currency, in that currency."""


def converted(rows: pl.DataFrame) -> pl.DataFrame:
    """The chargeback rows that could be converted, their `effective_cost` in the reporting currency."""
    cost = pl.col("reporting_effective_cost")
    return rows.filter(cost.is_not_null()).with_columns(effective_cost=cost)


def without_rate(rows: pl.DataFrame) -> Amounts:
    """What the other chargeback rows add up to, by currency. It is part of no sum in the reporting currency."""
    return _by_currency(rows.filter(pl.col("reporting_effective_cost").is_null()))


def rates_of(rows: pl.DataFrame) -> Mapping[str, Decimal]:
    """The month's rate of every currency of the chargeback rows that has one; 1 for the reporting currency."""
    known = rows.filter(pl.col("exchange_rate").is_not_null())
    return dict(known.select("billing_currency", "exchange_rate").unique().iter_rows())


def amounts_text(apart: Amounts) -> str:
    """Such as "CHF 12.00 + GBP 3.00"."""
    return _PLUS.join(format_money(amount, currency) for currency, amount in apart)


def apart_text(apart: Amounts, period: Period, *, is_all: bool) -> str:
    """What the total does not hold, said beside it; empty when it holds everything."""
    if not apart:
        return ""
    if is_all:
        names = _listed(currency for currency, _ in apart)
        return f"{period.label} has no exchange rate for {names}: nothing could be converted."
    named = _listed(format_money(amount, currency) for currency, amount in apart)
    return f"Not in it: {named}, for which {period.label} has no exchange rate."


def currency_table(rows: pl.DataFrame, period: Period, total: Decimal, currency: str) -> Table | None:
    """What was charged in each currency, at which rate, and what that is in `currency`; None where there is no other.

    The converted costs add up to `total`, the total as printed.
    """
    counted, apart = converted(rows), without_rate(rows)
    own = dict(_by_currency(rows.filter(pl.col("reporting_effective_cost").is_not_null())))
    if not apart and set(own) <= {currency}:
        return None
    sums = sorted(((name, "", cost) for name, cost in _by_currency(counted)), key=lambda x: (x[0] != currency, -x[2]))
    notes = _rate_notes(counted, currency)
    known = [
        Row(clean(x.label), (format_money(own[x.label], x.label), format_money(x.amount, currency)), notes[x.label])
        for x in as_listed(sums, total, currency).lines
    ]
    unknown = [
        Row(clean(name), (format_money(amount, name), NO_VALUE), "No rate: not in the total") for name, amount in apart
    ]
    foot = Row("Total", (NO_VALUE, format_money(total, currency) if known else NO_VALUE))
    headings = ("Charged in", "In that currency", f"In {currency}")
    remark = f"Rates are those of {period.label}, locked when they were first used." if set(own) - {currency} else ""
    return Table("currencies", "Currencies", headings, (*known, *unknown), foot, remark=remark)


def _by_currency(rows: pl.DataFrame) -> Amounts:
    costs: dict[str, list[Decimal]] = {}
    for currency, cost in rows.select("billing_currency", "effective_cost").iter_rows():
        costs.setdefault(currency, []).append(cost)
    return tuple((currency, exact_sum(costs[currency])) for currency in sorted(costs))


def _rate_notes(rows: pl.DataFrame, currency: str) -> dict[str, str]:
    """Such as "1 EUR = 1.0834 USD, ECB"; nothing for the reporting currency itself."""
    notes = {currency: ""}
    told = rows.select("billing_currency", "exchange_rate", "exchange_rate_source").unique().sort("billing_currency")
    for name, rate, source in told.iter_rows():
        if name != currency:
            said = f", {clean(source)}" if source else ""
            notes[name] = f"1 {clean(name)} = {rate.normalize():f} {currency}{said}"
    return notes


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
