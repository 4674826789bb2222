"""A folder of access logs, and the lines that a real Envoy wrote of one round of traffic."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.envoy import SOURCE
from tests.connectors.envoy.gateway import running_envoy, serve_models
from tests.connectors.faulty_server import FaultyServer
from tests.connectors.stored_log import LogFolder


@dataclass(frozen=True)
class Traffic:
    """What both listeners logged of the same requests, the statuses that callers saw, and what reached the models."""

    recommended: bytes
    own: bytes
    statuses: list[int]
    upstream_requests: int


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", SOURCE, {"outcome_keys": ["ticket"], "layout": "*"})


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    folder = tmp_path_factory.mktemp("envoy")
    with FaultyServer() as server:
        serve_models(server)
        with running_envoy(urlsplit(server.url).port or 0, folder) as envoy:
            statuses = [
                envoy.ask("gpt-5", "T-answered"),
                envoy.ask("always-500", "T-exhausted"),
                envoy.ask("flaky", "T-retried"),
                envoy.ask("streams-no-usage", "T-untold"),
                envoy.ask("gpt-5", "T-unreachable", "/nobody/v1/chat/completions"),
                envoy.ask("", "T-list", "/v1/models"),
            ]
            lines = [envoy.lines(name, len(statuses)) for name in ("recommended", "own")]
        return Traffic(lines[0], lines[1], statuses, len(server.requests))
