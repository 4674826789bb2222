"""A whole night with its lake in a bucket: the configuration differs by one path and how to reach it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.cli.explain import ExplainRequest, explain_figure
from tests.moto_s3 import SECRET, ObjectStore, object_store
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
ENVIRONMENT = {"LAKE_SECRET": SECRET}


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store("lake") as opened:
        yield opened


@pytest.fixture
def endpoint(store: ObjectStore) -> str:
    return store.address


@pytest.fixture
def client(store: ObjectStore) -> object:
    return store.client


def explained(config: Path, what: str, *rest: str, **given: Any) -> dict[str, list[dict[str, Any]]]:
    """The levels of an explanation, which comes out."""
    console = Console(file=StringIO())
    assert explain_figure(console, config, ExplainRequest(what, rest, form="json", **given)) == 0
    assert isinstance(console.file, StringIO)
    return {level["name"]: level["rows"] for level in json.loads(console.file.getvalue())["levels"]}


def test_two_nights_in_a_bucket_publish_what_two_nights_in_a_folder_do(
    tmp_path: Path, endpoint: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    # what a figure is made of is read from there, too: down to the delivered file
    monkeypatch.setenv("LAKE_SECRET", SECRET)
    told = explained(config, "2026-10", "search")
    assert told["bill"][0]["effective_cost"] == "11.000000000000"
    landed = client.get_object(Bucket="lake", Key=f"farthing/{told['deliveries'][0]['landing_file']}")["Body"].read()
    assert landed == (tmp_path / "bills" / "2026-10" / "bill.csv").read_bytes()
    beside = explained(config, "request_costs", where=("level=company",), depth="requests")
    (file,) = beside["usage_by_user_daily/priced_requests/gateway_requests/deliveries"]
    assert b"chatcmpl-1" in client.get_object(Bucket="lake", Key=f"farthing/{file['landing_file']}")["Body"].read()

    # nothing of the lake came to lie on this machine
    assert not (tmp_path / "s3:").exists()
    assert not (tmp_path / "lake").exists()
