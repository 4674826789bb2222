"""A whole night with its lake in a bucket: the configuration differs by one path and how to reach it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.pipelines.conftest import night
from tests.pipelines.small_company import CONFIG, DAY, line, write_bill, write_company

STORAGE = """\
lake: s3://lake/farthing
storage:
  aws_endpoint_url: {endpoint}
  aws_region: us-east-1
  aws_access_key_id: AKIATESTTESTTEST
  aws_secret_access_key: env:LAKE_SECRET
  aws_allow_http: "true"
"""
ENVIRONMENT = {"LAKE_SECRET": "secret-of-the-store"}


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def client(endpoint: str) -> object:
    made = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="AKIATESTTESTTEST",
        aws_secret_access_key="secret-of-the-store",
        region_name="us-east-1",
    )
    made.create_bucket(Bucket="lake")
    return made


def test_two_nights_in_a_bucket_publish_what_two_nights_in_a_folder_do(tmp_path: Path, endpoint: str, client) -> None:
    config = write_company(tmp_path)
    config.write_text(CONFIG.replace("lake: lake\n", STORAGE.format(endpoint=endpoint)), encoding="utf-8")
    first = night(config, DAY, environment=ENVIRONMENT)
    assert first.result.published, first.problems
    assert first.problems == ""
    write_bill(tmp_path / "bills", [line(BilledCost="11", EffectiveCost="11")])
    second = night(config, DAY, environment=ENVIRONMENT)
    assert second.result.published, second.problems
    assert second.told.summaries["usage_daily"] == "up to date"

    pointer = json.loads(client.get_object(Bucket="lake", Key="farthing/published/current.json")["Body"].read())
    assert pointer["number"] == 2
    import duckdb

    client.download_file("lake", f"farthing/{pointer['folder']}/farthing.duckdb", str(tmp_path / "copy.duckdb"))
    with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as database:
        assert database.execute("select sum(effective_cost) from chargeback").fetchone() == (Decimal(13),)
    # nothing of the lake came to lie on this machine
    assert not (tmp_path / "s3:").exists()
    assert not (tmp_path / "lake").exists()
