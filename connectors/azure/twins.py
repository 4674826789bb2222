"""Which lines of the actual and of the amortized view are one and the same charge.

The two views repeat each other: all that no commitment touches is in both, covered usage is in both with another cost.
Lines bear no id, and equal lines occur many times, so that lines are matched as a bag: the n-th line of one view with
the n-th equal line of the other. Whatever does not match stays by itself; no sum depends on how well lines match.

Here belongs: matching. Here does not belong: what becomes of matched lines (`views`).
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connectors.azure import columns as c
from connectors.azure import words
from connectors.azure.lines import instant
from connectors.base import LandedPage
from connectors.bills.files import Lines, open_lines
from connectors.bills.names import Names

_MEMORY = "1GB"  # of this matching, which spills to disk beyond it
Side = str
"""`actual` or `amortized`."""


@dataclass(frozen=True)
class Twins:
    """`marks`, by side and digest of a page: for each of its lines, in order, whether the other view has it too."""

    marks: Mapping[tuple[Side, str], pa.Array]

    def mark(self, side: Side, lines: Lines) -> None:
        """Gives the relation `lines` of an opened file the column `_twin`."""
        marks = pa.table({"_twin": self.marks[side, lines.page.digest]})
        lines.connection.execute("alter view lines rename to delivered")
        lines.connection.register("marks_given", marks)
        lines.connection.execute("create temp table marks as select * from marks_given")
        lines.connection.execute("create view lines as select * from delivered positional join marks")


def find_twins(pages: Mapping[Side, Sequence[LandedPage]]) -> Twins:
    """Matches the lines of the two views. Raises IncompleteDeliveryError for a file that is not whole."""
    with _engine() as engine:
        for side, delivered in pages.items():
            for number, page in enumerate(delivered):
                _read_keys(engine, side, number, page)
        engine.execute(
            "create table marked as with numbered as (select *, "
            "row_number() over (partition by side, key order by page, line) as occurrence from keys) "
            "select side, page, line, count(*) over (partition by key, occurrence) > 1 as twin from numbered"
        )
        return Twins(
            {
                (side, page.digest): _marks(engine, side, number)
                for side, delivered in pages.items()
                for number, page in enumerate(delivered)
            }
        )


def is_covered(names: Names, side: Side) -> str:
    """Usage that a commitment covers: free in the actual view, at its amortised cost in the other."""
    covers = words.covers(names)
    return covers if side == "amortized" else f"({covers} and coalesce({names.decimal(*c.COST)} = 0, false))"


@contextmanager
def _engine() -> Generator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        engine.execute(f"set memory_limit = '{_MEMORY}'; set TimeZone = 'UTC'")
        engine.execute("create table keys (side varchar, page integer, line bigint, key uhugeint)")
        yield engine


def _read_keys(engine: duckdb.DuckDBPyConnection, side: Side, number: int, page: LandedPage) -> None:
    with open_lines(page) as lines:
        found = lines.connection.sql(f"select {_key(lines.names, side)} as key from lines").to_arrow_reader()
        line = 0
        for batch in found:
            engine.register("batch", pa.Table.from_batches([batch]))
            engine.execute(
                "insert into keys select ?, ?, ? + row_number() over (), cast(key as uhugeint) from batch",
                [side, number, line],
            )
            engine.unregister("batch")
            line += batch.num_rows


def _key(names: Names, side: Side) -> str:
    """What equal lines have in common, as a number of 128 bits in text: nobody meets two of the same by accident."""
    texts = (c.SUBSCRIPTION, c.RESOURCE, c.METER_ID, c.METER, c.PART, c.PUBLISHER_TYPE, c.PLAN)
    parts = [f"cast({instant(names, *c.DATE)} as varchar)", words.charge_type(names)]
    parts += [f"lower({names.text(*aliases)})" for aliases in texts]
    parts.append(f"coalesce(cast({names.decimal(*c.QUANTITY)} as varchar), {names.text(*c.QUANTITY)})")
    cost = f"coalesce(cast({names.decimal(*c.COST)} as varchar), {names.text(*c.COST)})"
    parts.append(f"case when {is_covered(names, side)} then 'covered' else {cost} end")
    joined = ", ".join(f"coalesce({part}, '')" for part in parts)
    return f"cast(md5_number(concat_ws(chr(31), {joined})) as varchar)"


def _marks(engine: duckdb.DuckDBPyConnection, side: Side, number: int) -> pa.Array:
    query = "select twin from marked where side = ? and page = ? order by line"
    return engine.sql(query, params=[side, number]).to_arrow_table()["twin"].combine_chunks()
