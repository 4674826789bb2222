"""Puts the lake's slices before an engine, by table name."""

from datetime import date

from contracts import contract
from pipelines.engines import Engine
from pipelines.house import House


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
