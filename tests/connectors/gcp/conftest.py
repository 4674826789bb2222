"""A BigQuery emulator, where there is one."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest

VARIABLE = "FARTHING_BIGQUERY_EMULATOR"


@pytest.fixture(scope="session")
def bigquery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator that holds nothing yet."""
    executable = os.environ.get(VARIABLE)
    if not executable:
        missing = (
            f"{VARIABLE} does not name an emulator: give the path of the executable bqemulator (PyPI: bqemulator, with "
            "duckdb-extensions and duckdb-extension-spatial, in an environment of its own)"
        )
        pytest.fail(missing) if os.environ.get("FARTHING_REQUIRE_SERVERS") else pytest.skip(missing)
    ports = [_free_port(), _free_port()]
    command = [executable, "start", "--rest-port", str(ports[0]), "--grpc-port", str(ports[1])]
    with (tmp_path_factory.mktemp("bigquery") / "log").open("wb") as log:
        emulator = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{ports[0]}"
            _await(f"{address}/bigquery/v2/projects/acme/datasets")
            yield address
        finally:
            emulator.terminate()
            emulator.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{url} did not become ready in 60 s")
