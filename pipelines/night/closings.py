"""Which months are locked, and which month carries what is learned of them since."""

from collections.abc import Set
from datetime import date

from pipelines.calendar import next_month
from pipelines.house import House

CLOSINGS = "period_closings"
FROZEN = ("postings", "chargeback", "chargeback_by_customer", "focus_cost_and_usage")
"""Tables of which a locked month is not built again."""


def locked_months(house: House) -> frozenset[date]:
    """The months that were locked, by their first day."""
    return frozenset(house.lake.read(CLOSINGS)["billing_period"].to_pylist())


def posted_in(month: date, locked: Set[date]) -> date:
    """The first month after a locked one that is not locked itself: there its adjustments are posted."""
    found = next_month(month)
    while found in locked:
        found = next_month(found)
    return found
