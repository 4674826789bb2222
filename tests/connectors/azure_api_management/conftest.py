"""A folder of a data export."""

from pathlib import Path

import pytest

from connectors.azure_api_management.export import SOURCE
from tests.connectors.stored_log import LogFolder


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", SOURCE)
