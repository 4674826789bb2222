"""What could have cost less, for every billing period that is stale."""

from datetime import date

import polars as pl
import pyarrow as pa

from contracts import contract
from models.frames import frame_of
from models.savings import TABLE as SAVINGS
from models.savings import savings_rows
from models.savings_cells import MonthRows
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.savings_ranges import published_ranges


def build_savings(house: House, first: date, last: date) -> Built:
    """Finds the savings of the billing periods that a run of the days first..last must rebuild."""
    output = contract(SAVINGS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        rows = list(savings_rows(target.slice_date, month_rows(house, target.slice_date), published_ranges()))
        table = pa.Table.from_pylist(rows, schema=output.arrow_schema())
        pieces += replace_slices(house, output, table, [target])
    return Built(SAVINGS, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def month_rows(house: House, period: date) -> MonthRows:
    """The rows of a month, by its days or its billing period."""

    def read(table: str) -> pl.DataFrame:
        return frame_of(house.lake.read(table, period, next_month(period)))

    return MonthRows(
        avoidable_requests=read("avoidable_requests"),
        request_shapes=read("request_shapes"),
        usage_by_team_daily=read("usage_by_team_daily"),
        usage_hourly=read("usage_hourly"),
        gpu_waste=read("gpu_waste"),
        chargeback=read("chargeback"),
        commitment_advice=read("commitment_advice"),
    )
