"""The real server, started once."""

from collections.abc import Iterator

import pytest

from tests.connectors.phoenix.server import running_phoenix


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_phoenix(tmp_path_factory.mktemp("phoenix")) as address:
        yield address
