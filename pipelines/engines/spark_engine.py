"""The second engine: the same SQL on a cluster that others keep, over Spark Connect.

The SQL is carried to Spark's dialect by sqlglot. Results stay plans until they are read, so that a view between two
tables costs nothing; Spark's own shuffles bound the memory.
"""

from functools import reduce

import pyarrow as pa
import sqlglot
from pyspark.sql import DataFrame, SparkSession
from sqlglot import exp

from contracts import Column, Contract, conform, contract
from pipelines.engines.engine import Source, sql_text

_TYPES = {
    "string": "string",
    "json": "string",
    "int64": "bigint",
    "int32": "int",
    "bool": "boolean",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp_ntz",
}
_UPLOAD_ROWS = 1_000_000  # rows of one upload message; a whole table in one would pass the protocol's size limit


class SparkEngine:
    """A session of its own on a Spark Connect server.

    Args:
        remote: the server's address, `sc://host:port`.
    """

    def __init__(self, remote: str) -> None:
        self._session: SparkSession = SparkSession.builder.remote(remote).create()
        # naive timestamps are UTC, and what does not fit its type is an error, never NULL
        self._session.conf.set("spark.sql.session.timeZone", "UTC")
        self._session.conf.set("spark.sql.ansi.enabled", "true")

    def register(self, name: str, source: Source) -> None:
        """Makes rows readable as `name`. The cluster reads files itself and must see their paths; rows are uploaded."""
        table = contract(name)
        given = f"given_{name}"
        self._frame(table, source).createOrReplaceTempView(given)
        self._session.sql(_cast(table, given)).createOrReplaceTempView(name)

    def build(self, table: Contract) -> None:
        """Makes the table's SQL readable under its name; it runs when it is read."""
        translated = _translate(sql_text(table))
        self._session.sql(_cast(table, f"({translated})")).createOrReplaceTempView(table.table)

    def drop(self, table: Contract) -> None:
        """Nothing: what is built here holds no rows."""

    def rows(self, table: Contract) -> pa.Table:
        """The rows of the table's SQL. Raises ContractBrokenError."""
        self.build(table)
        return self.read(table.table)

    def read(self, name: str) -> pa.Table:
        """The rows in the contract's schema. Raises ContractBrokenError."""
        return conform(contract(name), self._session.table(name).toArrow())

    def query(self, sql: str) -> pa.Table:
        """The rows of a query in the house's dialect."""
        return self._session.sql(_translate(sql)).toArrow()

    def close(self) -> None:
        """Ends the session; the cluster forgets its views."""
        self._session.stop()

    def _frame(self, table: Contract, source: Source) -> DataFrame:
        if isinstance(source, list):
            return self._session.read.parquet(*source)
        rows = source if isinstance(source, pa.Table) else source.to_table()
        if not rows.num_rows:  # Spark infers types from rows and refuses to guess
            columns = ", ".join(f"cast(null as {_type(column)}) as {column.name}" for column in table.columns)
            return self._session.sql(f"select {columns} where false")
        starts = range(0, rows.num_rows, _UPLOAD_ROWS)
        pieces = [self._session.createDataFrame(rows.slice(start, _UPLOAD_ROWS)) for start in starts]
        return reduce(DataFrame.unionAll, pieces)


def _translate(sql: str) -> str:
    return sqlglot.parse_one(sql, read="duckdb").transform(_exact).sql(dialect="spark", comments=False)


def _exact(node: exp.Expr) -> exp.Expr:
    """A quantile of Spark's that is one of the values, where sqlglot writes an approximate one."""
    if not isinstance(node, exp.PercentileDisc):
        return node
    quantile = exp.Anonymous(this="percentile_disc", expressions=[node.expression])
    return exp.WithinGroup(this=quantile, expression=exp.Order(expressions=[exp.Ordered(this=node.this)]))


def _type(column: Column) -> str:
    return _TYPES.get(column.type, column.type)


def _cast(table: Contract, rows: str) -> str:
    columns = ", ".join(f"cast({column.name} as {_type(column)}) as {column.name}" for column in table.columns)
    return f"select {columns} from {rows} as given"
