"""Fixtures that the tests of every connector share."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance")

from tests.connectors.azure.emulator import Azurite, azurite_server  # noqa: E402 - after the rewrite is registered
from tests.connectors.faulty_server import Clock, FaultyServer  # noqa: E402 - after the rewrite is registered


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite_server(tmp_path_factory.mktemp("azurite")) as running:
        yield running
