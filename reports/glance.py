"""A statement in short: one line for each thing that asks for attention, on the first page, above all detail.

Here belongs: which rows of the sections below are told first. Here does not belong: any figure of its own.
"""

from collections.abc import Sequence

from reports.money import MINUS
from reports.tables import Row, Table

_SAID = {
    "budgets": "Budget {label}",
    "forecast": "Where the month ends",
    "unusual": "Unusual: {label}",
    "idle-gpus": "Idle GPUs: {label}",
    "savings": "Could save: {label}",
}
"""By section, in this order, how its first row is told, or the first budget that is overspent. Its last figure stands
beside it."""
_WHY = "why"


def glance_table(tables: Sequence[Table]) -> tuple[Table, ...]:
    """The first row of each such section, with a link to it; none where there is none of them."""
    by_name = {table.name: table for table in tables if table.rows}
    rows = [_first(by_name[name], said) for name, said in _SAID.items() if name in by_name]
    if _WHY in by_name:
        first = by_name[_WHY].rows[0]
        rows.insert(0, Row(f"Moved most by: {_within(first.label)}", first.cells[-1:], link=f"#{_WHY}"))
    return (Table("glance", "In short", ("What", "Amount"), tuple(rows)),) if rows else ()


def _first(table: Table, said: str) -> Row:
    row = next((row for row in table.rows if _is_over(table, row)), table.rows[0])
    more = len(table.rows) - 1
    beside = "" if not more else f"and {more} more below"
    amount = row.cells[-1]
    told = {"budgets": _left(amount), "savings": f"{amount} or more"}.get(table.name, amount)
    label = _within(row.label) if table.name == "unusual" else row.label
    return Row(said.format(label=label), (told,), beside, link=f"#{table.name}")


def _within(label: str) -> str:
    """A label within a sentence: an abbreviation at its head stays as it is."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _is_over(table: Table, row: Row) -> bool:
    return table.name == "budgets" and row.cells[-1].startswith(MINUS)


def _left(amount: str) -> str:
    return f"{amount.removeprefix(MINUS)} over" if amount.startswith(MINUS) else f"{amount} left"
