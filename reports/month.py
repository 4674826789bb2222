"""One month as its statement and the overview both tell it: total, change, chart, GPU time, the company's bill.

Here belongs: what a page about one team and the page about all of them have in common.
Here does not belong: who the page is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from models.minor_units import minor_unit
from reports.breakdown import Breakdown, Sum, as_listed, split, sums_by
from reports.change import Change, change_sentence, change_table, comparable, compare
from reports.company import bill_table, log_tables
from reports.coverage import awaited, coverage_table
from reports.currencies import amounts_text, apart_text, converted, currency_table, rates_of, without_rate
from reports.daily import DayCost, chart_note, chart_text, daily_costs
from reports.errata import errata_table
from reports.given import Period, SharedFacts, TeamRows
from reports.gpu import gpu_table
from reports.lacking import lacking_table
from reports.lines import service_sums
from reports.money import ZERO, exact_sum, format_money, round_to
from reports.restated import restatement_table
from reports.standing import Banner, banner_for, footnotes_for, missing_days
from reports.tables import Table, cost_table
from reports.why import why_table
from reports.wording import KIND_LABELS, clean

_GPU = list(KIND_LABELS).index("gpu")
_NOTHING_BEFORE = "The month before is not known, so there is nothing to compare with."
_NOTHING_CONVERTED = "Without an exchange rate there is nothing to compare or to draw."


@dataclass(frozen=True)
class Month:
    """Strings are printed as they stand; `total` is the printed total, in `currency`.

    `apart_text` says what the total does not hold, because its currency has no rate; each of `kinds` is a label, its
    cost, and what stands beside it for the same reason.
    """

    company: str
    period: Period
    currency: str
    total: Decimal
    total_text: str
    apart_text: str
    change_text: str
    kinds: tuple[tuple[str, str, str], ...]
    banner: Banner
    days: tuple[DayCost, ...]
    chart_text: str
    chart_note: str
    moved: tuple[Table, ...]
    services: Table
    currencies: tuple[Table, ...]
    gpu: tuple[Table, ...]
    errata: tuple[Table, ...]
    bill: Table
    checks: tuple[Table, ...]
    footnotes: tuple[str, ...]
    contact: str


def build_month(period: Period, rows: TeamRows, shared: SharedFacts) -> Month:
    """The month of whoever the rows belong to. Raises StatementError if the shared facts do not balance."""
    currency = shared.currency
    costs, apart = converted(rows.chargeback), without_rate(rows.chargeback)
    is_all = costs.is_empty() and bool(apart)
    total = round_to(exact_sum(costs["effective_cost"]), minor_unit(currency))
    waiting = awaited(shared.freshness)
    change = (
        None if rows.previous is None or is_all or waiting else _change(costs, rows.previous, total, period, currency)
    )
    by_kind = sums_by(costs, "cost_kind", KIND_LABELS)
    kinds = as_listed(by_kind, total, currency)
    days = daily_costs(costs, period, missing_days(shared.freshness))
    services = split(service_sums(costs), total, currency)
    return Month(
        company=clean(shared.company),
        period=period,
        currency=currency,
        total=total,
        total_text=amounts_text(apart) if is_all else format_money(total, currency),
        apart_text=apart_text(apart, period, is_all=is_all),
        change_text=_NOTHING_CONVERTED if is_all else _change_text(change, rows.previous, waiting, period, currency),
        kinds=_printed(kinds, by_kind, rows.chargeback, currency),
        banner=banner_for(period),
        days=days,
        chart_text=chart_text(days, period, kinds, currency),
        chart_note=chart_note(costs, days, period, currency, amounts_text(apart)),
        moved=() if change is None else _moved(change, rows, period, currency),
        services=cost_table("services", "Services and models", "Service or model", services, currency),
        currencies=_tables(currency_table(rows.chargeback, period, total, currency)),
        gpu=_tables(
            gpu_table(rows.gpu, rates_of(rows.chargeback), by_kind[_GPU][2], kinds.lines[_GPU].amount, currency)
        ),
        errata=_tables(errata_table(rows.errata)),
        bill=bill_table(shared, period),
        checks=(
            *log_tables(shared),
            *_tables(lacking_table(shared.not_published)),
            *_tables(coverage_table(shared.freshness)),
            *_tables(restatement_table(shared.restatements)),
        ),
        footnotes=footnotes_for(period, shared),
        contact=clean(shared.contact),
    )


def _change(
    costs: pl.DataFrame, previous: pl.DataFrame, total: Decimal, period: Period, currency: str
) -> Change | None:
    """Against what could be converted of the month before; None where nothing of it could."""
    before = converted(previous)
    return None if before.is_empty() and not previous.is_empty() else compare(costs, before, total, period, currency)


def _change_text(
    change: Change | None, previous: pl.DataFrame | None, waiting: str, period: Period, currency: str
) -> str:
    if waiting and previous is not None:
        return f"How it compares with the month before is not known yet: nothing has arrived from {waiting}."
    apart = () if previous is None else without_rate(comparable(previous, period))
    said = _NOTHING_BEFORE if change is None else change_sentence(change, currency)
    return f"{said} Without a rate and not compared: {amounts_text(apart)}." if apart else said


def _moved(change: Change, rows: TeamRows, period: Period, currency: str) -> tuple[Table, ...]:
    """Why the month moved, by factor, and which lines did."""
    why = why_table(rows.bridge, rates_of(rows.chargeback), change, period, currency)
    return (*_tables(why), *_tables(change_table(change, currency)))


def _printed(
    kinds: Breakdown, by_kind: Sequence[Sum], rows: pl.DataFrame, currency: str
) -> tuple[tuple[str, str, str], ...]:
    """Each kind's cost, and what has no rate beside it: never a zero where something was charged."""
    names = [*KIND_LABELS, *(name for name, _, _ in by_kind[len(KIND_LABELS) :])]
    texts: list[tuple[str, str, str]] = []
    for name, line, (_, _, exact) in zip(names, kinds.lines, by_kind, strict=True):
        apart = without_rate(rows.filter(pl.col("cost_kind") == name))
        beside = amounts_text(apart)
        is_all = bool(apart) and exact == ZERO
        texts.append((line.label, beside, "") if is_all else (line.label, format_money(line.amount, currency), beside))
    return tuple(texts)


def _tables(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)
