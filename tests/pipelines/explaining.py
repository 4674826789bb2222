"""Rows held against what their contract says that they are made of: of tables in memory, or of a whole snapshot."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, cast

import duckdb
import polars as pl
import pyarrow as pa

from contracts import Contract, contract
from models.frames import frame_of
from pipelines.clock import utc_now
from pipelines.explain.evidence import Evidence, evidence
from pipelines.explain.made_of import declared, differences
from pipelines.explain.made_of_rows import listed
from pipelines.explain.marts import explainable
from pipelines.explain.question import cells, question
from pipelines.explain.rules import Rules
from pipelines.explain.tree import Asked, explain_rows
from pipelines.lake import Lake


def evidence_of(tables: Mapping[str, pa.Table]) -> Evidence:
    """A snapshot of those tables alone, without a lake; all others are empty."""
    database = duckdb.connect()
    for name, rows in tables.items():
        database.register(f"given_{name}", rows)
        database.execute(f"create table {name} as select * from given_{name}")
    return Evidence(cast("Lake", None), 1, database, {}, frozenset())


def numbered(table: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as a question finds them."""
    ordered = rows.sort([name for name in table.key if name in rows.columns])
    return ordered.with_row_index("line", offset=1).with_columns(pl.col("line").cast(pl.Int64))


class Held(NamedTuple):
    """What of a table's rows does not come out of others, and which sums could be a unit more and nobody would notice.

    Both should be empty.
    """

    wrong: list[str]
    unnoticed: list[str]


def held(table: str, tables: Mapping[str, pa.Table]) -> Held:
    """The rows of a table held against those of the others, as they are and with every sum a unit more."""
    own, found = contract(table), evidence_of(tables)
    rows = numbered(own, frame_of(tables[table]))
    parts = [listed(found, own, part, rows) for part in declared(own).rows]
    named = {name for one in parts for name in one.part.sums} & set(rows.columns)
    sums = sorted(name for name in named if rows[name].drop_nulls().len())
    noticed = " ".join(differences(found, own, rows.with_columns(_a_unit_more(rows, name) for name in sums), parts))
    wrong = list(differences(found, own, rows, parts))
    return Held(wrong, [name for name in sums if f": {name} is " not in noticed])


def _a_unit_more(rows: pl.DataFrame, name: str) -> pl.Expr:
    kind = rows.schema[name]
    unit = Decimal(1).scaleb(-kind.scale) if isinstance(kind, pl.Decimal) else 1
    return (pl.col(name) + pl.lit(unit)).cast(kind)


def breaks_of(lake: Path, depth: str = "parts") -> Iterator[str]:
    """What a published snapshot cannot explain of any row of any table."""
    with evidence(Lake.open(str(lake), {}, utc_now)) as found:
        for name, mart in explainable().items():
            rows = cells(found, question(name, (), ()))
            if not rows.is_empty():
                yield from explain_rows(Asked(found, Rules(lake.parent / "farthing.yml"), depth), mart, rows).breaks
