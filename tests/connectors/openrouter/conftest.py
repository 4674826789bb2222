"""A folder of single requests."""

from pathlib import Path

import pytest

from connectors.openrouter.log import SOURCE
from tests.connectors.stored_log import LogFolder


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", SOURCE, {"outcome_keys": ["ticket"]})
