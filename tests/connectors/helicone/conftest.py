"""A Helicone to read from, and a folder with rows of its table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.helicone import Helicone
from connectors.helicone.table import SOURCE as TABLE
from tests.connectors.api_log import ApiLog
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.helicone.written import API_KEY, HASH_KEY, Organisation
from tests.connectors.stored_log import LogFolder


class Reader(ApiLog):
    """The source and the organisation's server."""

    def __init__(self, server: FaultyServer) -> None:
        given = {"url": server.url, "api_key": API_KEY, "hash_key": HASH_KEY, "outcome_keys": ["ticket"]}
        super().__init__(Helicone(sleep=Clock().sleep), given)
        self.server = server
        self.organisation = Organisation([])
        self.organisation.install(server)

    def serve(self, rows: list[dict[str, Any]]) -> None:
        self.organisation.rows = rows


@pytest.fixture
def reader() -> Iterator[Reader]:
    with FaultyServer() as server:
        yield Reader(server)


@pytest.fixture
def table(tmp_path: Path) -> LogFolder:
    (tmp_path / "table").mkdir()
    return LogFolder(tmp_path / "table", TABLE, {"outcome_keys": ["ticket"], "layout": "{date}/*"})
