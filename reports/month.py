"""One month as its statement and the overview both tell it: total, change, chart, GPU time, the company's bill.

Here belongs: what a page about one team and the page about all of them have in common.
Here does not belong: who the page is for.
"""

from dataclasses import dataclass
from decimal import Decimal

from reports.breakdown import Breakdown, as_listed, split, sums_by
from reports.change import change_sentence, change_table, compare
from reports.company import bill_table, coverage_table, log_tables
from reports.daily import DayCost, chart_note, chart_text, daily_costs
from reports.given import Period, SharedFacts, TeamRows
from reports.gpu import gpu_table
from reports.lines import service_sums
from reports.money import exact_sum, format_money, minor_unit, round_to
from reports.standing import Banner, banner_for, footnotes_for, missing_days
from reports.tables import Table, cost_table
from reports.wording import KIND_LABELS, clean

_GPU = list(KIND_LABELS).index("gpu")
_NOTHING_BEFORE = "The month before is not known, so there is nothing to compare with."


@dataclass(frozen=True)
class Month:
    """Strings are printed as they stand; `total` is the printed total, in `currency`."""

    company: str
    period: Period
    currency: str
    total: Decimal
    total_text: str
    change_text: str
    kinds: tuple[tuple[str, str], ...]
    banner: Banner
    days: tuple[DayCost, ...]
    chart_text: str
    chart_note: str
    moved: tuple[Table, ...]
    services: Table
    gpu: tuple[Table, ...]
    bill: Table
    checks: tuple[Table, ...]
    footnotes: tuple[str, ...]
    contact: str


def build_month(period: Period, rows: TeamRows, shared: SharedFacts) -> Month:
    """The month of whoever the rows belong to. Raises StatementError if the shared facts do not balance."""
    currency = shared.currency
    total = round_to(exact_sum(rows.chargeback["effective_cost"]), minor_unit(currency))
    change = None if rows.previous is None else compare(rows.chargeback, rows.previous, total, period, currency)
    by_kind = sums_by(rows.chargeback, "cost_kind", KIND_LABELS)
    kinds = as_listed(by_kind, total, currency)
    days = daily_costs(rows.chargeback, period, missing_days(shared.freshness))
    services = split(service_sums(rows.chargeback), total, currency)
    return Month(
        company=clean(shared.company),
        period=period,
        currency=currency,
        total=total,
        total_text=format_money(total, currency),
        change_text=_NOTHING_BEFORE if change is None else change_sentence(change, currency),
        kinds=_printed(kinds, currency),
        banner=banner_for(period),
        days=days,
        chart_text=chart_text(days, period, kinds, currency),
        chart_note=chart_note(rows.chargeback, days, period, currency),
        moved=_tables(None if change is None else change_table(change, currency)),
        services=cost_table("services", "Services and models", "Service or model", services, currency),
        gpu=_tables(gpu_table(rows.gpu, by_kind[_GPU][2], kinds.lines[_GPU].amount, currency)),
        bill=bill_table(shared),
        checks=(*log_tables(shared), *_tables(coverage_table(shared.freshness))),
        footnotes=footnotes_for(period, shared),
        contact=clean(shared.contact),
    )


def _printed(kinds: Breakdown, currency: str) -> tuple[tuple[str, str], ...]:
    return tuple((line.label, format_money(line.amount, currency)) for line in kinds.lines)


def _tables(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)
