"""Bills that changed after their month had ended: which, by how much, and when.

Here belongs: telling a restatement's difference. Here does not belong: whether it is believed (the lake does that).
"""

from collections.abc import Sequence
from decimal import Decimal

from reports.given import Restatement
from reports.money import format_money, format_number
from reports.tables import Row, Table
from reports.wording import MONTHS, clean, day_label


def restatement_table(restatements: Sequence[Restatement]) -> Table | None:
    """Bills that changed after their month had ended, and by how much; None where none did."""
    if not restatements:
        return None
    rows = tuple(
        Row(
            f"{clean(r.source)}, {MONTHS[r.month.month - 1]} {r.month.year}",
            (_difference(r.billed, r.currency), _difference(r.effective, r.currency)),
            _restated(r),
        )
        for r in sorted(restatements, key=lambda r: (r.month, r.source))
    )
    return Table(
        "restated",
        "Bills restated after their month",
        ("Bill", "Billed", "Effective"),
        rows,
        lead="What a source first said of an ended month, and what it says now, differ by so much.",
    )


def _restated(restatement: Restatement) -> str:
    last = day_label(restatement.last_at.date())
    return f"Restated on {last}" if restatement.times == 1 else f"Restated {restatement.times} times, last on {last}"


def _difference(amount: Decimal, currency: str | None) -> str:
    if currency is None:
        return format_number(amount)
    return format_money(amount, currency, signed=True)
