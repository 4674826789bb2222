"""What every engine does, and the conformance to contracts that no engine may do differently."""

from typing import Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from contracts import Contract, contract, sql_root

Source = list[str] | pa.Table | ds.Dataset


class ContractBrokenError(ValueError):
    """Rows that came out of an engine do not hold what their contract says."""


class Engine(Protocol):
    """Runs the house's SQL over registered tables. Names of tables are names of contracts."""

    def register(self, name: str, source: Source) -> None:
        """Makes rows readable as `name`: Parquet files by path, an Arrow table, or an Arrow dataset."""
        ...

    def build(self, table: Contract) -> None:
        """Runs the table's SQL and makes the result readable under the table's name, in its contract's types."""
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


def conform(name: str, rows: pa.Table) -> pa.Table:
    """Rows in the contract's schema, columns in its order.

    Raises ContractBrokenError naming the column when a value is missing that the contract requires, or does not fit.
    """
    schema = contract(name).arrow_schema()
    for field in schema:
        missing = rows[field.name].null_count
        if missing and not field.nullable:
            raise ContractBrokenError(
                f"{name}.{field.name} is NULL in {missing} of {rows.num_rows} rows, but its contract requires a value. "
                "Look at the tables that it is built from, or declare the column nullable."
            )
    try:
        return rows.select(schema.names).cast(schema)
    except pa.ArrowInvalid as error:
        raise ContractBrokenError(f"{name}: a value does not fit its contract's type: {error}") from error
