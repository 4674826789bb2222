"""What a delivery that came anew says otherwise than the slice in place: whether any row, and tokens of the same calls.

A manifest that is written again, or files cut in other places, are another delivery of the same rows.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import duckdb
import pyarrow.dataset as ds

from connectors.bills.engine import engine
from contracts import contract
from pipelines.lake.recount import Count
from pipelines.lake.rows import Written
from pipelines.lake.stage import Order
from pipelines.lake.tables import Tables
from pipelines.lake.totals import money_column, token_columns

# where a line stood, and what of it follows from the order of files alone: no part of what it says
_PLACE = ("x_page", "x_row", "is_id_used_before")


def lines_differ(tables: Tables, order: Order, written: Sequence[Written]) -> bool:
    """Whether the lines that came, in whatever files and order, are others than those of the slice in place."""
    said = ", ".join(column.name for column in contract(order.fact).columns if column.name not in _PLACE)
    with engine() as connection:
        connection.register("standing", _standing(tables, order))
        before = _said(connection, "standing", said, [])
        return before != _said(connection, "read_parquet(?)", said, [_files(written)])


class SameCalls(NamedTuple):
    """Calls of a log that the slice in place has and that came again, by their ids, and their tokens in either."""

    calls: int
    before: int
    now: int


def same_calls(tables: Tables, order: Order, written: Sequence[Written]) -> SameCalls:
    """The tokens that calls had and have. What one of the two lacks says nothing of the other: logs come late."""
    tokens = " + ".join(f"coalesce({name}, 0)" for name in token_columns(order.fact))
    of_calls = f"select request_id, sum({tokens}) as tokens from {{}} group by request_id"
    question = (
        f"with earlier as ({of_calls.format('standing')}), later as ({of_calls.format('read_parquet(?)')}) "
        "select count(*), coalesce(sum(earlier.tokens), 0), coalesce(sum(later.tokens), 0) "
        "from earlier inner join later using (request_id)"
    )
    with engine() as connection:
        connection.register("standing", _standing(tables, order))
        return SameCalls(*map(int, connection.execute(question, [_files(written)]).fetchall()[0]))


def in_place(tables: Tables, order: Order) -> Count:
    """What the slice in place counts: the journal of an older release may not have it."""
    money = money_column(order.fact)
    tokens = " + ".join(f"coalesce(sum({name}), 0)" for name in token_columns(order.fact))
    known = ", ".join(token_columns(order.fact))
    question = (
        f"select count(*), case when count(coalesce({known})) > 0 or count(*) = 0 then {tokens} end, "
        f"{f'case when count({money}) > 0 or count(*) = 0 then coalesce(sum({money}), 0) end' if money else 'null'} "
        "from standing"
    )
    with engine() as connection:
        connection.register("standing", _standing(tables, order))
        rows, counted, usd = connection.execute(question).fetchall()[0]
    return Count(rows, None if counted is None else int(counted), usd)


def _standing(tables: Tables, order: Order) -> ds.Dataset:
    day = order.slice_date
    return tables.dataset(order.fact, day, day + timedelta(days=1)).filter(ds.field("x_source") == order.name)


def _files(written: Sequence[Written]) -> list[str]:
    return [str(piece.file) for piece in written]


def _said(connection: duckdb.DuckDBPyConnection, lines: str, columns: str, values: list[object]) -> object:
    """How many lines there are, and what they say together, whatever their order."""
    sums = f"sum(cast(hash({columns}) as hugeint)), sum(cast(hash('again', {columns}) as hugeint))"
    return connection.execute(f"select count(*), {sums} from {lines}", values).fetchone()
