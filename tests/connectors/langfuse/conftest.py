"""A Langfuse project to read from, and a folder with its export."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.langfuse import Langfuse
from connectors.langfuse.export import SOURCE as EXPORT
from tests.connectors.api_log import ApiLog
from tests.connectors.faulty_server import Clock, FaultyServer
from tests.connectors.langfuse.written import HASH_KEY, OBSERVATIONS, PUBLIC, SECRET, Project
from tests.connectors.stored_log import LogFolder


class Reader(ApiLog):
    """The source and the project's server."""

    def __init__(self, server: FaultyServer) -> None:
        keys = {"url": server.url, "public_key": PUBLIC, "secret_key": SECRET, "hash_key": HASH_KEY}
        super().__init__(Langfuse(sleep=Clock().sleep), {**keys, "outcome_keys": ["ticket"]})
        self.server = server
        self.project = Project()
        self.project.install(server)

    def serve(self, rows: list[dict[str, Any]]) -> None:
        self.project.rows[OBSERVATIONS] = rows


@pytest.fixture
def reader() -> Iterator[Reader]:
    with FaultyServer() as server:
        yield Reader(server)


@pytest.fixture
def export(tmp_path: Path) -> LogFolder:
    (tmp_path / "export").mkdir()
    return LogFolder(tmp_path / "export", EXPORT, {"outcome_keys": ["ticket"]})
