"""Which lines of two sets of files are one and the same, where two views of one bill repeat each other.

Lines bear no id, and equal lines occur many times, so that they are matched as a bag: the n-th line of one view with
the n-th equal line of the other. Whatever does not match stays by itself.

Here belongs: matching by a key. Here does not belong: what makes lines equal, and what becomes of them (a provider's
own folder says that).
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connectors.base import LandedPage
from connectors.bills.files import Lines, open_lines
from connectors.bills.names import Names

_MEMORY = "1GB"  # of this matching, which spills to disk beyond it
Key = Callable[[Names, str], str]
"""SQL of what equal lines have in common, as text, for the columns of a file and the view that it belongs to."""


@dataclass(frozen=True)
class Twins:
    """`marks`, by view and digest of a page: for each of its lines, in order, whether the other view has it too."""

    marks: Mapping[tuple[str, str], pa.Array]

    def mark(self, view: str, lines: Lines) -> None:
        """Gives the relation `lines` of an opened file the column `_twin`."""
        marks = pa.table({"_twin": self.marks[view, lines.page.digest]})
        lines.connection.execute("alter view lines rename to delivered")
        lines.connection.register("marks_given", marks)
        lines.connection.execute("create temp table marks as select * from marks_given")
        lines.connection.execute("create view lines as select * from delivered positional join marks")


def find_twins(pages: Mapping[str, Sequence[LandedPage]], key: Key) -> Twins:
    """Matches the lines of two views by their keys.

    Raises IncompleteDeliveryError for a file that is not whole.
    """
    with _engine() as engine:
        for view, delivered in pages.items():
            for number, page in enumerate(delivered):
                _read_keys(engine, view, number, page, key)
        engine.execute(
            "create table marked as with numbered as (select *, "
            "row_number() over (partition by view, low, high order by page, line) as occurrence from keys) "
            "select view, page, line, count(*) over (partition by low, high, occurrence) > 1 as twin from numbered"
        )
        return Twins(
            {
                (view, page.digest): _marks(engine, view, number)
                for view, delivered in pages.items()
                for number, page in enumerate(delivered)
            }
        )


@contextmanager
def _engine() -> Generator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as engine:
        engine.execute(f"set memory_limit = '{_MEMORY}'; set enable_progress_bar = false")
        # two halves of a hash of 128 bits: no two different lines have the same one by accident
        engine.execute("create table keys (view varchar, page integer, line bigint, low ubigint, high ubigint)")
        yield engine


def _read_keys(engine: duckdb.DuckDBPyConnection, view: str, number: int, page: LandedPage, key: Key) -> None:
    with open_lines(page) as lines:
        halves = "md5_number_lower(key) as low, md5_number_upper(key) as high"
        keys = f"select {key(lines.names, view)} as key from lines"
        found = lines.connection.sql(f"select {halves} from ({keys})").to_arrow_reader()
        line = 0
        for batch in found:
            engine.register("batch", pa.Table.from_batches([batch]))
            engine.execute(
                "insert into keys select ?, ?, ? + row_number() over (), low, high from batch",
                [view, number, line],
            )
            engine.unregister("batch")
            line += batch.num_rows


def _marks(engine: duckdb.DuckDBPyConnection, view: str, number: int) -> pa.Array:
    query = "select twin from marked where view = ? and page = ? order by line"
    return engine.sql(query, params=[view, number]).to_arrow_table()["twin"].combine_chunks()
