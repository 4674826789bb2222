"""What the tests of AWS's APIs share: a client that does not really sleep, and moto's server."""

from collections.abc import Iterator
from types import SimpleNamespace

import botocore.endpoint
import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long AWS's client meant to sleep between its tries. It does not."""
    slept = list[float]()
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of moto's server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
