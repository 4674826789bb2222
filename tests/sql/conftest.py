"""The two engines that must agree."""

import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.engines import Engine
from pipelines.engines.duckdb_engine import DuckDBEngine


@pytest.fixture
def duckdb_engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine("1GiB", str(tmp_path))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def spark_engine() -> Iterator[Engine]:
    """A session on a Spark Connect server on the loopback, the protocol without a Java runtime."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as environment:
        warnings.simplefilter("ignore")  # what the client says of its own dependencies
        # the server forgets a session that rests for minutes, as this one does while other modules run
        environment.setenv("SAIL_SPARK__SESSION_TIMEOUT_SECS", str(timedelta(days=1) // timedelta(seconds=1)))
        from pysail.spark import SparkConnectServer

        from pipelines.engines.spark_engine import SparkEngine

        server = SparkConnectServer("127.0.0.1", 0)
        server.start()
        _, port = server.listening_address
        engine = SparkEngine(f"sc://127.0.0.1:{port}")
    yield engine
    engine.close()
    server.stop()
