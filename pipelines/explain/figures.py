"""What is asked of rows, as figures: of one row all that it has, of several what can be added.

Here belongs: sums for a reader. Here does not belong: whether they come out of the rows below (`made_of`).
"""

import polars as pl

from contracts import Contract
from pipelines.explain.made_of import declared

LEVELS = ("period_kind", "level")
"""Columns that tell rows which sum up others from those: a sum over both counts twice."""


def figure_of(table: Contract, cells: pl.DataFrame, figure: str) -> pl.DataFrame:
    """The figures asked about: of one row all that it has, of several what can be summed, by its unit.

    Rows that sum up others (a level, a kind of period) stand in one table with them: each such level by itself.
    """
    made = declared(table)
    known = [name for name in cells.columns if name in made.figures and figure in ("", name)]
    named = {column.name for column in table.columns if column.type == "string"}
    units = [name for name in dict.fromkeys(column.unit for column in table.columns) if name in named]
    units = [*(name for name in LEVELS if name in table.key), *units]
    if cells.height == 1:
        return cells.select(*units, *known)
    summed = {name for part in made.rows for name in part.sums}
    sums = [known_sum(name) for name in known if name in summed]
    return cells.group_by(units).agg(sums).sort(units) if units else cells.select(sums)


def known_sum(name: str) -> pl.Expr:
    """The sum of what is known of a column; of rows of which nothing is known it is NULL, and no 0."""
    column = pl.col(name)
    return pl.when((column.count() > 0) | (pl.len() == 0)).then(column.sum()).alias(name)
