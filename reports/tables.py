"""Printed tables: every cell is the string that people read, the same in mail, browser and plain text.

Here belongs: the one shape of a table, and its making from lines that foot. Here does not belong: markup, figures.
"""

from dataclasses import dataclass
from decimal import Decimal

from reports.breakdown import Breakdown, Line
from reports.money import format_money, format_ratio

NO_VALUE = "–"  # where a figure would mean nothing; never a zero


@dataclass(frozen=True)
class Row:
    """One printed row: what it is about, a note under it, its figures; `ask` is a command that shows what is behind."""

    label: str
    cells: tuple[str, ...]
    note: str = ""
    link: str = ""
    ask: str = ""


@dataclass(frozen=True)
class Table:
    """One printed table; `name` is its anchor, `headings` has one entry more than the cells of a row."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    lead: str = ""
    remark: str = ""


def cost_table(
    name: str,
    title: str,
    heading: str,
    breakdown: Breakdown,
    currency: str,
    *,
    total_label: str = "Total",
    lead: str = "",
    remark: str = "",
) -> Table:
    """Label, share and cost; the share column is left out where shares mean nothing (credits among the lines)."""
    with_shares = any(line.share is not None for line in breakdown.lines)
    headings = (heading, "Share", "Cost") if with_shares else (heading, "Cost")
    total = format_money(breakdown.total, currency)
    cells = (format_ratio(Decimal(1)), total) if with_shares else (total,)
    rows = tuple(_row(line, currency, with_shares=with_shares) for line in breakdown.lines)
    return Table(name, title, headings, rows, Row(total_label, cells), lead, remark)


def signed_table(
    name: str, title: str, heading: str, breakdown: Breakdown, currency: str, *, total_label: str = "Difference"
) -> Table:
    """Differences, each with its sign, adding up to the signed total, which also names the column."""
    rows = tuple(Row(x.label, (format_money(x.amount, currency, signed=True),), x.note) for x in breakdown.lines)
    total = Row(total_label, (format_money(breakdown.total, currency, signed=True),))
    return Table(name, title, (heading, total_label), rows, total)


def _row(line: Line, currency: str, *, with_shares: bool) -> Row:
    amount = format_money(line.amount, currency)
    share = NO_VALUE if line.share is None else format_ratio(line.share)
    return Row(line.label, (share, amount) if with_shares else (amount,), line.note)
