"""What statements tell beside costs: the month's rows of its tables, split by team before any report sees them."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa

from models.frames import frame_of
from pipelines.calendar import next_month
from reports.given import BESIDE

OUTCOMES, IDLE, ANOMALIES, FORECASTS = "unit_costs", "idle_gpu_holders", "anomalies", "forecasts"
_WHOLE = frozenset({OUTCOMES, ANOMALIES, FORECASTS})  # not kept by months

Frames = Mapping[str, pl.DataFrame]
"""Rows by the table that they are of."""


def beside_costs(read: Callable[..., pa.Table], period: date) -> Frames:
    """The period's rows of each table. `read` takes a table's name, and None after it to have the table whole."""
    whole = {table: (None,) if table in _WHOLE else () for table, _ in BESIDE.values()}
    return {table: _of_month(table, frame_of(read(table, *start)), period) for table, start in whole.items()}


def of_team(frames: Frames, team_id: str) -> dict[str, tuple[dict[str, Any], ...]]:
    """The rows of that team and of nobody else, by the field of TeamRows that holds them."""
    return {
        name: tuple(frames[table].filter(pl.col(owner) == team_id).to_dicts())
        for name, (table, owner) in BESIDE.items()
        if table in frames
    }


def _of_month(table: str, rows: pl.DataFrame, period: date) -> pl.DataFrame:
    """A month's rows: of idle GPUs those of its last day, of anomalies those that touch it."""
    if table == OUTCOMES:
        return rows.filter(period_kind="month", period_start=period)
    if table == IDLE:
        return rows.filter(pl.col("usage_date") == pl.col("usage_date").max())
    if table == ANOMALIES:
        return rows.filter(pl.col("onset_date") < next_month(period), pl.col("last_alarm_date") >= period)
    return rows.filter(billing_period=period)
