"""The rows of one other table that rows of a table are declared to be made of: as many as are listed, and their rest.

Here belongs: reading them. Here does not belong: whether they come out (`pipelines.explain.made_of`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from contracts import Contract, MadeOfRows, contract
from pipelines.explain.evidence import Evidence
from pipelines.explain.made_of_sources import Source, sources

TO = "to_"
"""Before the name of a figure: what a row adds to it."""
NOTE = "x_note"
"""Says of a row how many rows it is together."""
MOST = 100_000
"""Rows of one table that are listed one by one; of the others each row above has one line of their sum."""


@dataclass(frozen=True)
class Listed:
    """The rows of one other table: `of_line` says of which row each is, `to_...` what it adds to which figure."""

    part: MadeOfRows
    rows: pl.DataFrame


def listed(evidence: Evidence, table: Contract, part: MadeOfRows, cells: pl.DataFrame, most: int = MOST) -> Listed:
    """The rows of one other table that rows of a table are made of, by line and in the order of their key.

    Args:
        evidence: the open snapshot.
        table: whose rows are asked about.
        part: which rows they are made of.
        cells: the rows, each with a number `line`.
        most: how many of them, of each place where they are read; of the rest there is a line for each row above.
    """
    below = contract(part.table)
    found = [
        _read(evidence, part, source, cells, below.key, most)
        for source in sources(evidence, table, below, cells, (part.months_before, part.months_after))
    ]
    key = [name for name in below.key if name in found[0].columns]
    return Listed(part, pl.concat(found, how="diagonal_relaxed").sort("of_line", *key, nulls_last=True))


def _read(
    evidence: Evidence, part: MadeOfRows, source: Source, cells: pl.DataFrame, key: Sequence[str], most: int
) -> pl.DataFrame:
    """The rows that add most, of equal ones the first by their key, and the others of each row above as one.

    So nothing is left out, the same rows are listed every time, and no row above has all of the places by standing
    before the others.
    """
    query = _query(part, source.name)
    if part.taken:  # an aggregate that is no sum needs every row
        return evidence.rows(query, (), cells=cells, **source.given)
    sums = [f"{TO}{name}" for name in part.sums]
    order = ", ".join([*(f"{name} desc nulls last" for name in sums), *key, "of_line"])
    rows = evidence.rows(f"select * from ({query}) order by {order} limit {most + 1}", (), cells=cells, **source.given)
    if rows.height <= most:
        return rows
    rows = rows.head(most)
    added = "".join(f", sum({name}) as {name}" for name in sums)
    whole = evidence.rows(
        f"select of_line, count(*) as n{added} from ({query}) group by of_line", (), cells=cells, **source.given
    )
    mine = rows.group_by("of_line").agg(pl.len().alias("_n"), *(pl.col(name).sum().alias(f"_{name}") for name in sums))
    both = whole.join(mine, on="of_line", how="left").with_columns(pl.col("n") - pl.col("_n").fill_null(0))
    rest = both.filter(pl.col("n") > 0).select(
        "of_line",
        *(
            pl.when(pl.col(name).is_not_null()).then(pl.col(name) - pl.col(f"_{name}").fill_null(0)).alias(name)
            for name in sums
        ),
        pl.concat_str(pl.col("n").cast(pl.String), pl.lit(" more rows, together")).alias(NOTE),
    )
    # the engine sums whole numbers to wider ones
    counts = [name for name in sums if rows.schema[name].is_integer()]
    return pl.concat([rows, rest.with_columns(pl.col(counts).cast(pl.Int64))], how="diagonal_relaxed")


def _query(part: MadeOfRows, relation: str) -> str:
    equal = {**{name: f"u.{name}" for name in part.same}, **part.equal}
    on = [f"m.{name} is not distinct from ({expression})" for name, expression in equal.items()]
    adds = [f"({expression}) as {TO}{name}" for name, expression in part.sums.items()]
    return (
        f"select {', '.join(['m.line as of_line', 'u.*', *adds])} from {relation} u "
        f"join cells m on {' and '.join(on) or 'true'} where {part.where.replace('{table}', relation)}"
    )
