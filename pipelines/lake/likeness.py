"""Whether a bill that came anew says of any charge something else than the slice that it replaces.

A manifest that is written again, or files cut in other places, are another delivery of the same charges.
"""

from collections.abc import Sequence
from datetime import timedelta

import duckdb
import pyarrow.dataset as ds

from connectors.bills.engine import engine
from contracts import contract
from pipelines.lake.rows import Written
from pipelines.lake.stage import Order
from pipelines.lake.tables import Tables

_PLACE = ("x_page", "x_row")  # where a line stood: no part of what it says


def lines_differ(tables: Tables, order: Order, written: Sequence[Written]) -> bool:
    """Whether the lines that came, in whatever files and order, are others than those of the slice in place."""
    day = order.slice_date
    standing = tables.dataset(order.fact, day, day + timedelta(days=1)).filter(ds.field("x_source") == order.name)
    said = ", ".join(column.name for column in contract(order.fact).columns if column.name not in _PLACE)
    with engine() as connection:
        connection.register("standing", standing)
        before = _said(connection, "standing", said, [])
        return before != _said(connection, "read_parquet(?)", said, [[str(piece.file) for piece in written]])


def _said(connection: duckdb.DuckDBPyConnection, lines: str, columns: str, values: list[object]) -> object:
    """How many lines there are, and what they say together, whatever their order."""
    sums = f"sum(cast(hash({columns}) as hugeint)), sum(cast(hash('again', {columns}) as hugeint))"
    return connection.execute(f"select count(*), {sums} from {lines}", values).fetchone()
