"""A lake in a folder and a lake in a bucket."""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from connectors.base import SourceSettings
from pipelines.lake import Lake
from tests.lake.fakes import Clock, FakeSource, Place, day_window


@pytest.fixture(scope="session")
def s3_options() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    options = {
        "aws_endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "AKIATESTTESTTEST",
        "aws_secret_access_key": "secret-of-the-store",
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    boto3.client(
        "s3",
        endpoint_url=options["aws_endpoint_url"],
        aws_access_key_id="AKIATESTTESTTEST",
        aws_secret_access_key="secret-of-the-store",
        region_name="us-east-1",
    ).create_bucket(Bucket="lake")
    yield options
    server.stop()


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
