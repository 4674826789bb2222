"""The days of a table that a night looks back on, and what is dated ahead of them.

One line dated ahead, taken for the newest day, would make all who tell the truth late, and their days unsettled.
"""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

from contracts import contract
from models.frames import frame_of
from pipelines.calendar import month_start, next_month
from pipelines.house import House


def window(
    house: House, table: str, last: date, window_days: int, prepare: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """The rows of a table from the window that ends with the month of `last` on, with what is dated ahead of it.

    Month by month: what was prepared of a month is much smaller than the month.
    """
    days = [piece.slice_date for piece in house.lake.slices(table) if piece.row_count]
    if not days:
        return prepare(frame_of(contract(table).arrow_schema().empty_table()))
    months = sorted({month_start(day) for day in days})
    earliest = next_month(min(months[-1], month_start(last))) - timedelta(days=window_days + 31)
    return pl.concat(
        prepare(frame_of(house.lake.read(table, month, next_month(month)))) for month in months if month >= earliest
    )


def told_ahead(rows: pl.DataFrame, told_by: str, table: str, consequence: str) -> tuple[str, ...]:
    """What to say of usage of days that have not come, and what follows for a table until they have."""
    found = rows.group_by(told_by).agg(pl.len(), first=pl.col("day").min(), last=pl.col("day").max()).sort(told_by)
    return tuple(
        f"{table}: {name} tells of usage ahead of its day (rows: {count}, {first} to {last}): {consequence} "
        "until that day has come; if the date is wrong, correct it in the export, or in the source's mapping"
        for name, count, first, last in found.iter_rows()
    )
