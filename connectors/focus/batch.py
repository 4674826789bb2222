"""What every format becomes: batches of records as text columns, not yet interpreted."""

from dataclasses import dataclass

import polars as pl

from connectors.base import IncompleteDeliveryError

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Malformed:
    """A record that does not have the file's columns; `row` counts the file's records from 1."""

    row: int
    text: str
    detail: str


@dataclass(frozen=True)
class Batch:
    """At most `BATCH_ROWS` records: `frame` holds the delivered columns as text (instants of Parquet as instants).

    `rows` numbers them; `garbled` names a column whose text is no UTF-8, NULL where all is well;
    `approximate` names the columns that came as binary floating point. `is_sparse`: a record names its fields itself,
    and a field that no record has may be nothing but empty.
    """

    frame: pl.DataFrame
    rows: pl.Series
    garbled: pl.Series
    approximate: frozenset[str] = frozenset()
    malformed: tuple[Malformed, ...] = ()
    is_sparse: bool = False


def incomplete(name: str, reason: object) -> IncompleteDeliveryError:
    """The error for a file that is not whole."""
    return IncompleteDeliveryError(
        f"{name}: {reason}; the file is damaged or still being written: run the day again, or have it exported again"
    )


def require_names_once(name: str, header: list[str]) -> None:
    """Raises IncompleteDeliveryError when a file has two columns of one name: nobody can tell which one counts."""
    if twice := sorted({column for column in header if header.count(column) > 1}):
        raise incomplete(name, f"names the columns {', '.join(map(repr, twice[:5]))} more than once")
