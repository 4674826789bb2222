"""A lake in a folder and a lake in a bucket."""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connectors.base import SourceSettings
from pipelines.lake import Lake
from tests.lake.fakes import Clock, FakeSource, Place, day_window
from tests.moto_s3 import object_store


@pytest.fixture(scope="session")
def s3_options() -> Iterator[dict[str, str]]:
    with object_store("lake") as store:
        yield store.options


_prefixes = count()


@pytest.fixture
def s3_place(s3_options: dict[str, str]) -> Place:
    return Place(f"s3://lake/prefix-{next(_prefixes)}", s3_options, Clock())


@pytest.fixture
def local_place(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "lake"), {}, Clock())


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Place:
    """A folder, or under `everywhere` a bucket as well."""
    wanted = getattr(request, "param", "folder")
    return request.getfixturevalue("local_place" if wanted == "folder" else "s3_place")


@pytest.fixture
def lake(place: Place) -> Lake:
    return place.open()


@pytest.fixture
def local_lake(local_place: Place) -> Lake:
    return local_place.open()


@pytest.fixture
def settings() -> SourceSettings:
    return SourceSettings(name="aws-main", kind="fake", account="1234")


@pytest.fixture
def pull(lake: Lake, settings: SourceSettings) -> Callable[..., Any]:
    def run(source: FakeSource, day: date = date(2026, 10, 1), *, confirmed: bool = False) -> Any:
        return lake.ingest(source, settings, day_window(day), "run-1", confirmed=confirmed)

    return run
