"""Puts the lake's slices before an engine, by table name, or before a model, as a frame."""

from datetime import date

import polars as pl

from contracts import Contract, contract
from models.frames import frame_of
from pipelines.engines import Engine
from pipelines.house import House
from pipelines.night.stale import input_range


def register(house: House, engine: Engine, table: str, start: date, end: date) -> None:
    """Registers the slices of `table` in `[start, end)`; tables that are not sliced are registered whole.

    On a local lake the engine reads the Parquet files where they lie, on an object store through a dataset.
    """
    whole = contract(table).slice == "none"
    bounds = (None, None) if whole else (start, end)
    if house.is_local:
        files = house.lake.files(table, *bounds)
        engine.register(table, files or contract(table).arrow_schema().empty_table())
    else:
        engine.register(table, house.lake.dataset(table, *bounds))


def read_input(house: House, output: Contract, table: str, slice_date: date) -> pl.DataFrame:
    """What the slice of `output` reads of `table`, as a frame."""
    whole = contract(table).slice == "none"
    bounds = () if whole else input_range(output, contract(table), slice_date)
    return frame_of(house.lake.read(table, *bounds))
