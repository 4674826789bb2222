"""What the tests of AWS's APIs share: a client that does not really sleep, and moto's server."""

from collections.abc import Iterator
from types import SimpleNamespace

import botocore.endpoint
import pytest

from tests.moto_s3 import moto_server


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long AWS's client meant to sleep between its tries. It does not."""
    slept = list[float]()
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of moto's server."""
    with moto_server() as address:
        yield address
