"""Where the rows of any table are read from, as the snapshot was made from them: itself, the lake, or a view's SQL.

Here belongs: which slices are looked at. Here does not belong: which rows of them are meant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow.dataset as ds

from contracts import Contract
from models.frames import frame_of, schema_of
from pipelines.calendar import days_between, months_before, next_month
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.explain.evidence import Evidence
from pipelines.night.build import views_below
from pipelines.night.stale import input_range, stored_inputs

MEMORY = "4GB"
_DATES = ("usage_date", "billing_period", "x_BillingPeriod")
_ROWS = "rows_of_lake"


@dataclass(frozen=True)
class Source:
    """What a query reads a table as, with what has to be given to it."""

    name: str
    given: Mapping[str, pl.DataFrame | ds.Dataset]


def sources(
    evidence: Evidence, table: Contract, below: Contract, cells: pl.DataFrame, months: tuple[int, int] = (0, 0)
) -> Iterator[Source]:
    """Where rows of `below` are read that rows of `table` can be made of; a view's SQL is run a slice at a time.

    `months` are how many months before and after they may lie, beyond those of which `table` is built.

    Raises LakeError when the lake no longer has them.
    """
    if evidence.has(below.table):
        yield Source(below.table, {})
    elif below.materialized == "table":
        yield Source(_ROWS, {_ROWS: _stored(evidence, table, below, cells, months)})
    else:
        slices = _slices(below, cells)
        for slice_date in slices:
            yield Source(_ROWS, {_ROWS: _built(evidence, below, slice_date)})
        if not slices:
            yield Source(_ROWS, {_ROWS: pl.DataFrame(schema=schema_of(below.table))})


def _stored(
    evidence: Evidence, table: Contract, below: Contract, cells: pl.DataFrame, months: tuple[int, int]
) -> pl.DataFrame | ds.Dataset:
    version = evidence.versions.get(below.table)
    if version is None:
        return pl.DataFrame(schema=schema_of(below.table))
    bounds = _bounds(table, below, cells, months)
    if evidence.lake.slices_at(below.table, version):
        return evidence.lake.dataset_at(below.table, version, *bounds)
    return pl.DataFrame(schema=schema_of(below.table))


def _bounds(
    table: Contract, below: Contract, cells: pl.DataFrame, months: tuple[int, int]
) -> tuple[date | None, date | None]:
    """The slices in which rows of `below` can lie; all of them where no column says of which time the rows are."""
    days = _days(cells)
    if "none" in (table.slice, below.slice) or not days:
        return None, None
    ranges = [input_range(table, below, day) for day in (days[0], days[-1])]
    before, after = months
    first, end = min(start for start, _ in ranges), max(end for _, end in ranges)
    return months_before(first, before), max(end, months_before(days[-1], -1 - after)) if after else end


def _days(cells: pl.DataFrame) -> list[date]:
    column = next((name for name in _DATES if name in cells.columns), None)
    return [] if column is None else cells[column].drop_nulls().unique().sort().to_list()


def _slices(below: Contract, cells: pl.DataFrame) -> list[date | None]:
    """The slices of a view that rows can lie in; of one that is whole a single one, without a date."""
    if below.slice == "none":
        return [None]
    days = _days(cells)
    if not days:
        return []
    if "usage_date" in cells.columns or below.slice == "billing_period":
        return list(days)
    return [day for month in days for day in days_between(month, next_month(month) - timedelta(days=1))]


def _built(evidence: Evidence, view: Contract, slice_date: date | None) -> pl.DataFrame:
    """One slice of a view, by its SQL."""
    with TemporaryDirectory(prefix="farthing-explain-") as folder:
        engine = DuckDBEngine(MEMORY, folder)
        try:
            for table in stored_inputs(view):
                bounds = (None, None)
                if slice_date is not None and table.slice != "none":
                    bounds = input_range(view, table, slice_date)
                version = evidence.versions.get(table.table)
                empty = table.arrow_schema().empty_table()
                engine.register(
                    table.table, empty if version is None else evidence.lake.dataset_at(table.table, version, *bounds)
                )
            for below in [*views_below(view), view]:
                engine.build(below)
            only = "" if slice_date is None else f" where {view.slice_column} = date '{slice_date}'"
            return frame_of(engine.query(f"select * from {view.table}{only}"))
        finally:
            engine.close()
