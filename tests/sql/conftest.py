"""The two engines that must agree."""

import warnings
from collections.abc import Iterator
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the client says of its own dependencies
        from pysail.spark import SparkConnectServer

        from pipelines.engines.spark_engine import SparkEngine

        server = SparkConnectServer("127.0.0.1", 0)
        server.start()
        _, port = server.listening_address
        engine = SparkEngine(f"sc://127.0.0.1:{port}")
    yield engine
    engine.close()
    server.stop()
