"""A whole night in a test: the configuration in, the published snapshot out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.house import Options, open_house
from pipelines.night.run import NightResult, run_night

SHARED = Path(__file__).resolve().parents[3] / "shared"


@dataclass
class Told:
    """A progress that remembers what it was told."""

    steps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    summaries: dict[str, str] = field(default_factory=dict)

    def start(self, step: str) -> None:
        self.steps.append(step)

    def finish(self, step: str, summary: str, problems: tuple[str, ...] = (), notices: tuple[str, ...] = ()) -> None:
        self.summaries[step] = summary
        self.problems += problems
        self.notices += notices


@dataclass(frozen=True)
class Night:
    """How a run ended and what it said."""

    result: NightResult
    told: Told

    @property
    def problems(self) -> str:
        return "\n".join([*self.told.problems, *self.result.failures])


def night(
    config: Path,
    first: date,
    last: date | None = None,
    *,
    at: date | None = None,
    options: Options | None = None,
    environment: dict[str, str] | None = None,
) -> Night:
    """Runs the days first..last; the clock stands at half past five of `at`, or of the day after the last."""
    last = last or first
    now = datetime.combine(at or last + timedelta(days=1), time(5, 30))
    told = Told()
    with open_house(
        config, f"run-{now:%Y%m%d}", clock=lambda: now, progress=told, options=options, environment=environment
    ) as house:
        return Night(run_night(house, first, last), told)


@contextmanager
def published(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file as finance opens it: a plain client, read-only."""
    with duckdb.connect(str(lake / "published" / "farthing.duckdb"), read_only=True) as database:
        yield database


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not (SHARED / "data").exists():
        pytest.skip("needs the shared data sets beside the checkout (../shared/data)")
    return SHARED / "data"
