"""The sample company, written once for all tests of this folder: as first billed, and as restated."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import sample
from sample.story import tell
from sample.write import write_bills
from tests.sample.scrapes import spend_logs

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"
CAPTURES = SHARED / "contracts" / "examples_gateway" / "litellm_real"


@dataclass(frozen=True)
class Written:
    """A written company and its truth."""

    directory: Path
    counts: sample.Sample
    truth: dict[str, Any]


def written(directory: Path, as_of: date) -> Written:
    counts = sample.write(directory, as_of=as_of)
    return Written(directory, counts, json.loads(counts.truth.read_text()))


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The whole month, before OpenAI's invoice."""
    return written(tmp_path_factory.mktemp("october"), date(2026, 11, 2))


@pytest.fixture(scope="session")
def restated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The bills of the whole month after AWS' and OpenAI's invoices, and their truth."""
    directory = tmp_path_factory.mktemp("restated")
    story = tell(1847, date(2026, 11, 5))
    write_bills(directory / "exports", story)
    return directory, json.loads(json.dumps(story.truth()))


@pytest.fixture(scope="session")
def captures() -> Path:
    """Real rows of the gateway, to compare shapes with."""
    if not CAPTURES.is_dir():
        pytest.skip(f"the gateway captures are not at {CAPTURES.resolve()}")
    return CAPTURES


@pytest.fixture(scope="session")
def log(october) -> dict[date, list[dict[str, Any]]]:
    folders = (october.directory / "exports/litellm-us").iterdir()
    return {date.fromisoformat(f.name): spend_logs(october.directory, f.name) for f in sorted(folders)}
