"""Frames that keep their contract: what comes in is checked, what goes out is cast.

Here belongs: the step between a table's contract and a polars frame. Here does not belong: any table's own rules.
"""

from functools import cache

import polars as pl
import pyarrow as pa

from contracts import contract


@cache
def schema_of(table: str) -> pl.Schema:
    """The polars schema of a table, columns in the contract's order."""
    return frame_of(contract(table).arrow_schema().empty_table()).schema


def frame_of(rows: pa.Table) -> pl.DataFrame:
    """An Arrow table as a frame."""
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table is never a series: this is for the type checker
    return frame


def require(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The contract's columns of a frame, in order.

    Integers may have another width and all-NULL columns any type. Decimals must be as declared: casting rounds.

    Raises:
        ValueError: a column is missing, has another type, or holds NULL where the contract has none.
    """
    columns: list[pl.Expr] = []
    for column in contract(table).columns:
        wanted = schema_of(table)[column.name]
        found = frame.schema.get(column.name)
        if found is None:
            raise ValueError(f"{table}: column {column.name} is missing; found {', '.join(frame.columns)}")
        castable = found == pl.Null or (found.is_integer() and wanted.is_integer())
        if found != wanted and not castable:
            raise ValueError(f"{table}: column {column.name} is {found}, expected {wanted}")
        if not column.nullable and frame[column.name].null_count():
            raise ValueError(f"{table}: column {column.name} holds NULL, which its contract does not allow")
        columns.append(pl.col(column.name).cast(wanted))
    return frame.select(columns)


def conform(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The frame as its contract has it: those columns, in that order, of those types. Raises as `require`."""
    return require(frame.select(pl.col(name).cast(wanted) for name, wanted in schema_of(table).items()), table)
