"""Fixtures that the tests of every connector share."""

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.connectors.conformance")

from tests.connectors.faulty_server import Clock, FaultyServer  # noqa: E402 - after the rewrite is registered


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()
