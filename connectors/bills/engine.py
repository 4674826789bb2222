"""DuckDB as bills use it: bounded memory, spilling to a folder of its own, and no extension from elsewhere."""

from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import duckdb

_MEMORY = "1GB"  # lines are streamed; what matches the lines of two views spills to disk beyond it


@contextmanager
def engine(threads: int | None = None) -> Generator[duckdb.DuckDBPyConnection]:
    """An empty database in memory; what it spills goes with it. Times are UTC.

    `threads`: all cores unless given. Several of them give the lines of a file in no certain order where the result is
    streamed: who counts lines as they come takes one.
    """
    with (
        TemporaryDirectory(prefix="bill-") as spool,
        duckdb.connect(
            config={
                "memory_limit": _MEMORY,
                "temp_directory": spool,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        ) as connection,
    ):
        if threads is not None:
            connection.execute(f"set threads = {threads}")
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
        # a list of words is compared at once: as a join, every column would be copied for its sake
        connection.execute("set disabled_optimizers = 'in_clause'")
        yield connection
