"""Which lines of two sets of files are one and the same, where two views of one bill repeat each other.

Lines bear no id, and equal lines occur many times, so that they are matched as a bag: the n-th line of one view with
the n-th equal line of the other. Whatever does not match stays by itself.

Here belongs: matching by a key. Here does not belong: what makes lines equal, and what becomes of them (a provider's
own folder says that).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connectors.base import LandedPage
from connectors.bills.engine import engine
from connectors.bills.files import Lines, open_lines
from connectors.bills.names import Names

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
    with engine() as matching:
        # two halves of a hash of 128 bits: no two different lines have the same one by accident
        matching.execute("create table keys (view varchar, page integer, line bigint, low ubigint, high ubigint)")
        for view, delivered in pages.items():
            for number, page in enumerate(delivered):
                _read_keys(matching, view, number, page, key)
        matching.execute(
            "create table marked as with numbered as (select *, "
            "row_number() over (partition by view, low, high order by page, line) as occurrence from keys) "
            "select view, page, line, count(*) over (partition by low, high, occurrence) > 1 as twin from numbered"
        )
        return Twins(
            {
                (view, page.digest): _marks(matching, view, number)
                for view, delivered in pages.items()
                for number, page in enumerate(delivered)
            }
        )


def _read_keys(matching: duckdb.DuckDBPyConnection, view: str, number: int, page: LandedPage, key: Key) -> None:
    with open_lines(page) as lines:
        halves = "md5_number_lower(key) as low, md5_number_upper(key) as high"
        keys = f"select {key(lines.names, view)} as key from lines"
        found = lines.connection.sql(f"select {halves} from ({keys})").to_arrow_reader()
        line = 0
        for batch in found:
            matching.register("batch", pa.Table.from_batches([batch]))
            matching.execute(
                "insert into keys select ?, ?, ? + row_number() over (), low, high from batch",
                [view, number, line],
            )
            matching.unregister("batch")
            line += batch.num_rows


def _marks(matching: duckdb.DuckDBPyConnection, view: str, number: int) -> pa.Array:
    query = "select twin from marked where view = ? and page = ? order by line"
    return matching.sql(query, params=[view, number]).to_arrow_table()["twin"].combine_chunks()
