"""A source's slices taken out of the lake: each replaced by one without rows, and recorded as an attempt.

What it delivered stays in landing, what it once counted in the journal: nothing is forgotten, it only counts no more.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from connectors.base import Window
from contracts import contract
from pipelines.calendar import midnight, next_month
from pipelines.lake.deliveries import WITHDRAWN, Delivery, Journal, begun
from pipelines.lake.rejects import REJECTS
from pipelines.lake.tables import Tables
from pipelines.lake.totals import has_effective_cost


def standing(tables: Tables, journal: Journal, fact: str) -> dict[str, list[date]]:
    """By source: the slices of a staged fact that have rows, or that the journal says have some. Oldest first."""
    found = {(piece.slice_source, piece.slice_date) for piece in tables.slices(fact) if piece.row_count}
    found |= {
        (delivery.x_source, delivery.slice_date)
        for delivery in journal.in_place()
        if delivery.fact == fact and delivery.row_count
    }
    by_source: dict[str, list[date]] = {}
    for source, day in sorted(found):
        by_source.setdefault(source, []).append(day)
    return by_source


def withdraw(
    tables: Tables, journal: Journal, fact: str, source: str, run_id: str, clock: Callable[[], datetime]
) -> Iterator[Delivery]:
    """Empties every slice of the source in a fact, one after the other, and yields each attempt once it is recorded.

    A run that dies in between leaves the rest standing, to be withdrawn again.
    """
    for day in standing(tables, journal, fact).get(source, []):
        served = journal.served(source, day)
        attempt = _attempt(journal, fact, source, day, run_id, clock())
        fingerprint = hashlib.sha256(f"withdrawn {attempt.attempt_id}".encode()).hexdigest()
        for table in (REJECTS, fact):
            if tables.slice(table, day, source):
                tables.replace(table, day, source, contract(table).arrow_schema().empty_table(), fingerprint)
        rows = served.row_count if served else 0
        withdrawn = replace(
            attempt,
            status=WITHDRAWN,
            total_cost=None if served is None or served.total_cost is None else Decimal(0),
            previous_total_cost=served.total_cost if served else None,
            total_effective_cost=Decimal(0) if has_effective_cost(fact) else None,
            previous_total_effective_cost=served.total_effective_cost if served else None,
            previous_row_count=rows,
            total_tokens=None if served is None or served.total_tokens is None else 0,
            previous_total_tokens=served.total_tokens if served else None,
            currency=served.currency if served else None,
            message=f"withdrawn: its {rows:,} rows count no more; what was delivered is still in landing",
        )
        journal.append(withdrawn)
        yield withdrawn


def _attempt(journal: Journal, fact: str, source: str, day: date, run_id: str, at: datetime) -> Delivery:
    """An attempt at the slice, under the account and the window that it was delivered under."""
    served = journal.served(source, day)
    end = next_month(day) if contract(fact).slice == "billing_period" else date.fromordinal(day.toordinal() + 1)
    window = Window(served.window_start, served.window_end) if served else Window(midnight(day), midnight(end))
    account = served.x_account if served else "default"
    return begun(source, account, fact, window, run_id, at, journal.count(source, day))
