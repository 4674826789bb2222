"""The default engine: DuckDB in this process, over Parquet files where they lie."""

import duckdb
import pyarrow as pa

from contracts import Contract, conform, contract
from pipelines.engines.engine import Source, sql_text

_TYPES = {
    "string": "varchar",
    "json": "varchar",
    "int64": "bigint",
    "int32": "integer",
    "bool": "boolean",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
}


class DuckDBEngine:
    """DuckDB in memory, spilling to a folder beyond its limit.

    Args:
        memory_limit: most memory it takes before it spills, as DuckDB writes it: `4GiB`.
        temp_directory: folder to spill to; the caller removes it.
    """

    def __init__(self, memory_limit: str, temp_directory: str) -> None:
        # order is not kept: rows have keys, and keeping it would buffer whole results
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "temp_directory": temp_directory,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
            },
        )
        self._connection.execute("set TimeZone = 'UTC'")

    def register(self, name: str, source: Source) -> None:
        """Makes rows readable as `name`; a source that is registered again replaces the one before."""
        table = contract(name)
        if isinstance(source, list):
            files = ", ".join(_literal(path) for path in source)
            # the path's partition columns stay out: a contract's columns are all in the file
            rows = f"read_parquet([{files}], hive_partitioning = false, union_by_name = true)"
        else:
            self._connection.register(f"arrow_{name}", source)
            rows = f"arrow_{name}"
        self._connection.execute(f"create or replace view {name} as {_cast(table, rows)}")

    def build(self, table: Contract) -> None:
        """Runs the table's SQL; a view stays a view, so that what reads it streams through."""
        kind = "view" if table.materialized == "view" else "table"
        self._connection.execute(f"create or replace {kind} {table.table} as {_made(table)}")

    def drop(self, table: Contract) -> None:
        """Forgets a built table, and gives back what it held."""
        self._connection.execute(f"drop table if exists {table.table}")

    def rows(self, table: Contract) -> pa.Table:
        """The rows of the table's SQL, which are held once, as Arrow. Raises ContractBrokenError."""
        return conform(table, self.query(_made(table)))

    def read(self, name: str) -> pa.Table:
        """The rows in the contract's schema. Raises ContractBrokenError."""
        return conform(contract(name), self.query(f"select * from {name}"))

    def query(self, sql: str) -> pa.Table:
        """The rows of a query."""
        return self._connection.sql(sql).to_arrow_table()

    def close(self) -> None:
        """Closes the connection and forgets every table."""
        self._connection.close()


def _made(table: Contract) -> str:
    return _cast(table, f"({sql_text(table)})")


def _cast(table: Contract, rows: str) -> str:
    columns = ", ".join(f"cast({c.name} as {_TYPES.get(c.type, c.type)}) as {c.name}" for c in table.columns)
    return f"select {columns} from {rows} as given"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
