"""The month's rows of customers out of the snapshot: read only where statements are rendered of them.

Here belongs: reading them. Here does not belong: the split (`customers`), or what a team is handed (`snapshot`).
"""

from dataclasses import replace
from datetime import date

import polars as pl

from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.lake import Lake, NotPublishedError
from pipelines.lake.published import Snapshot
from reports.given import CUSTOMERS


def has_customers(snapshot: Snapshot) -> bool:
    """Whether the snapshot has the table, of whatever months; one of an earlier version has not. Reads no row."""
    try:
        snapshot.months(CUSTOMERS)
    except NotPublishedError:
        return False
    return True


def customers_of(lake: Lake, number: int, period: date, currency: str) -> pl.DataFrame | None:
    """A period's rows of `chargeback_by_customer` in the snapshot of that number, in the statements' currency.

    None where the snapshot has none of the month: what was for whom is then not known, which is not the same as nobody.
    """
    try:
        rows = replace(lake.published(), number=number).read(CUSTOMERS, period, next_month(period))
    except NotPublishedError:
        return None
    found = frame_of(rows).filter(pl.col("reporting_currency") == currency)
    return None if found.is_empty() else found
