"""What every engine does."""

from typing import Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from contracts import Contract, sql_root

Source = list[str] | pa.Table | ds.Dataset


class Engine(Protocol):
    """Runs the house's SQL over registered tables. Names of tables are names of contracts."""

    def register(self, name: str, source: Source) -> None:
        """Makes rows readable as `name`: Parquet files by path, an Arrow table, or an Arrow dataset."""
        ...

    def build(self, table: Contract) -> None:
        """Runs the table's SQL and makes the result readable under the table's name, in its contract's types."""
        ...

    def drop(self, table: Contract) -> None:
        """Forgets a built table, and gives back what it held. Views that read it are of no use afterwards."""
        ...

    def rows(self, table: Contract) -> pa.Table:
        """The rows of the table's SQL, as `read` gives them. The engine keeps none of them. Raises as `read`."""
        ...

    def read(self, name: str) -> pa.Table:
        """The rows of a registered or built table, in its contract's schema. Raises ContractBrokenError."""
        ...

    def query(self, sql: str) -> pa.Table:
        """The rows of a query in the house's dialect."""
        ...

    def close(self) -> None:
        """Releases what the engine holds. The engine is of no use afterwards."""
        ...


def sql_text(table: Contract) -> str:
    """The table's SQL. Raises FileNotFoundError for a table that is not computed in SQL."""
    return (sql_root() / table.layer / f"{table.table}.sql").read_text(encoding="utf-8")
