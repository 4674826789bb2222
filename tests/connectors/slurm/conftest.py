"""A folder of sacct's output for each test."""

from pathlib import Path

import pytest

from tests.connectors.slurm.jobs import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)
