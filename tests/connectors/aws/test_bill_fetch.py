"""A month is one complete execution's files; half-written, doubled, and missing ones are told apart, never added up."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from connectors import storage
from connectors.aws import bill_fetch
from connectors.aws.bill import SOURCE
from connectors.aws.bill_layout import execution_of, export_of, month_of
from connectors.base import IncompleteDeliveryError, Page, SourceError
from connectors.registry import source
from connectors.windows import month_window
from tests.connectors.aws.bill_reports import contents, csv_report, line, settings

BILL = csv_report(line())
MONTH = "BILLING_PERIOD=2026-09"
FIRST, SECOND = "2026-09-18T20:16:37.306Z-3695a728-1", "2026-09-19T02:16:37.306Z-0a11b728-2"
LEGACY = "acme/20260901-20261001"


def manifest(*files: str, **more: str) -> bytes:
    return json.dumps({"dataFiles": [f"s3://bills/cur/acme/{file}" for file in files], **more}).encode()


def legacy_manifest(*files: str) -> bytes:
    return json.dumps({"assemblyId": "a-2", "reportKeys": [f"cur/{file}" for file in files]}).encode()


def fetch(where: object, month: date = date(2026, 9, 1), **over: Any) -> list[Page]:
    return list(SOURCE.fetch(settings(location=str(where), **over), month_window(month)))


def names(where: object, month: date = date(2026, 9, 1), **over: Any) -> list[str]:
    return [page.name for page in fetch(where, month, **over)]


def store(folder: Path, objects: dict[str, bytes]) -> Path:
    for path, content in objects.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def test_the_registry_knows_the_source() -> None:
    assert source("aws_bill") is SOURCE


def test_the_current_month_and_through_day_fifteen_the_one_before_are_pulled() -> None:
    def months(day: date, **over: Any) -> list[date]:
        return [window.slice_date for window in SOURCE.windows(settings(**over), day)]

    assert months(date(2026, 10, 15)) == [date(2026, 9, 1), date(2026, 10, 1)]
    assert months(date(2026, 10, 16)) == [date(2026, 10, 1)]
    assert months(date(2026, 1, 20), restated_through_day=31) == [date(2025, 12, 1), date(2026, 1, 1)]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"data/{MONTH}/acme-00001.snappy.parquet", (date(2026, 9, 1), "", "")),
        (f"cur/acme/data/{MONTH}/{FIRST}/acme-00001.csv.gz", (date(2026, 9, 1), FIRST, "cur/acme")),
        ("acme/metadata/billing_period=2026-09/acme-Manifest.json", (date(2026, 9, 1), "", "acme")),
        ("exp-202601/data/BILLING_PERIOD=2026-09/x.csv", (date(2026, 9, 1), "", "exp-202601")),
        (f"{LEGACY}/a-1/acme-00001.csv.gz", (date(2026, 9, 1), "a-1", "acme")),
        ("bill_2026-09.csv", (date(2026, 9, 1), "", "")),
        ("data/latest.csv", (None, "", "")),
        ("account-120260912345/bill.csv", (None, "", "")),
    ],
)
def test_a_path_says_month_execution_and_export(path: str, found: tuple[date | None, str, str]) -> None:
    assert (month_of(path), execution_of(path), export_of(path)) == found


def test_overwritten_in_place_the_manifests_files_count_and_remains_of_earlier_ones_do_not(tmp_path: Path) -> None:
    store(
        tmp_path,
        {
            f"data/{MONTH}/acme-00001.csv": BILL,
            f"data/{MONTH}/acme-00002.csv": BILL,  # of the execution before, which had two files
            "data/BILLING_PERIOD=2026-08/acme-00001.csv": BILL,
            f"metadata/{MONTH}/acme-Manifest.json": manifest(f"data/{MONTH}/acme-00001.csv", executionId="e-2"),
        },
    )
    assert names(tmp_path) == [f"data/{MONTH}/acme-00001.csv", f"metadata/{MONTH}/acme-Manifest.json"]


def test_of_several_executions_the_newest_with_a_manifest_counts(tmp_path: Path) -> None:
    store(
        tmp_path,
        {
            f"data/{MONTH}/{FIRST}/acme-00001.csv": BILL,
            f"data/{MONTH}/{SECOND}/acme-00001.csv": BILL,
            f"metadata/{MONTH}/{FIRST}/acme-Manifest.json": manifest(f"data/{MONTH}/{FIRST}/acme-00001.csv"),
        },
    )
    first = [f"data/{MONTH}/{FIRST}/acme-00001.csv", f"metadata/{MONTH}/{FIRST}/acme-Manifest.json"]
    assert names(tmp_path) == first, "the second one is still being written"
    told = manifest(f"data/{MONTH}/{SECOND}/acme-00001.csv")
    store(tmp_path, {f"metadata/{MONTH}/{SECOND}/acme-Manifest.json": told})
    assert names(tmp_path)[0] == f"data/{MONTH}/{SECOND}/acme-00001.csv"
    store(tmp_path, {f"metadata/{MONTH}/acme-Manifest.json": told})
    expected = [f"data/{MONTH}/{SECOND}/acme-00001.csv", f"metadata/{MONTH}/acme-Manifest.json"]
    assert names(tmp_path) == expected, "the manifest beside the executions says the same"


def test_the_legacy_report_has_its_files_in_the_assembly_that_its_manifest_names(tmp_path: Path) -> None:
    told = legacy_manifest(f"{LEGACY}/a-2/acme-00001.csv.gz", f"{LEGACY}/a-2/acme-00002.csv.gz")
    store(
        tmp_path,
        {
            f"{LEGACY}/a-9/acme-00001.csv.gz": BILL,
            f"{LEGACY}/a-9/acme-Manifest.json": legacy_manifest(f"{LEGACY}/a-9/acme-00001.csv.gz"),
            f"{LEGACY}/a-2/acme-00001.csv.gz": BILL,
            f"{LEGACY}/a-2/acme-00002.csv.gz": BILL,
            f"{LEGACY}/a-2/acme-Manifest.json": told,
            f"{LEGACY}/acme-Manifest.json": told,
        },
    )
    files = [f"{LEGACY}/a-2/acme-0000{n}.csv.gz" for n in (1, 2)]
    assert names(tmp_path) == [*files, f"{LEGACY}/acme-Manifest.json"]
    (tmp_path / LEGACY / "acme-Manifest.json").unlink()
    with pytest.raises(SourceError, match="nothing says which one counts"):
        fetch(tmp_path)


def test_without_a_manifest_the_listing_counts_and_parsing_tells(tmp_path: Path) -> None:
    store(tmp_path, {f"data/{MONTH}/acme-00001.csv": BILL, f"data/{MONTH}/.hidden.csv": BILL})
    assert names(tmp_path) == [f"data/{MONTH}/acme-00001.csv"]
    store(tmp_path, {f"metadata/{MONTH}/acme-Manifest.json": b'{"exportName": "acme"}'})
    assert names(tmp_path) == [f"data/{MONTH}/acme-00001.csv", f"metadata/{MONTH}/acme-Manifest.json"]


@pytest.mark.parametrize(
    ("objects", "error", "words"),
    [
        ({"data/BILLING_PERIOD=2026-08/a.csv": BILL}, SourceError, "no manifest and no file for 2026-09"),
        ({"elsewhere.txt": b"x"}, SourceError, "it holds no month"),
        (
            {f"metadata/{MONTH}/a-Manifest.json": manifest(f"data/{MONTH}/a-1.csv", f"data/{MONTH}/a-2.csv")}
            | {f"data/{MONTH}/a-1.csv": BILL},
            IncompleteDeliveryError,
            "names 2 files; 1 are not there",
        ),
        ({f"metadata/{MONTH}/a-Manifest.json": b'{"dataFiles": ['}, IncompleteDeliveryError, "cannot be read"),
        ({f"metadata/{MONTH}/a-Manifest.json": b'{"dataFiles": 7}'}, IncompleteDeliveryError, "cannot be read"),
        ({f"metadata/{MONTH}/a-Manifest.json": b"{}"}, IncompleteDeliveryError, "names no files"),
        (
            {f"one/data/{MONTH}/a-1.csv": BILL, f"two/data/{MONTH}/a-1.csv": BILL},
            SourceError,
            "2 exports",
        ),
        (
            {f"data/{MONTH}/a-1.csv": BILL, f"data/{MONTH}/a-1.csv.gz": BILL},
            SourceError,
            "would be counted twice",
        ),
        (
            {f"data/{MONTH}/a-1.csv": BILL, f"data/{MONTH}/{FIRST}/a-1.csv": BILL},
            SourceError,
            "more than once",
        ),
        (
            {
                f"data/{MONTH}/a-1.csv": BILL,
                f"metadata/{MONTH}/a-Manifest.json": manifest(f"data/{MONTH}/a-1.csv"),
                f"metadata/{MONTH}/{FIRST}/a-Manifest.json": manifest(f"data/{MONTH}/{FIRST}/a-1.csv"),
            },
            SourceError,
            "both overwritten in place and as executions",
        ),
        ({f"{LEGACY}/acme-00001.csv.zip": BILL}, SourceError, "Parquet or GZIP"),
    ],
)
def test_a_month_that_is_not_there_once_and_whole_is_no_delivery(
    tmp_path: Path, objects: dict[str, bytes], error: type[SourceError], words: str
) -> None:
    with pytest.raises(error, match=words):
        fetch(store(tmp_path, objects))


def test_before_the_first_month_there_is_nothing_and_that_is_known(tmp_path: Path) -> None:
    assert fetch(store(tmp_path, {f"data/{MONTH}/a-1.csv": BILL}), date(2026, 8, 1)) == []


def test_the_probe_says_what_is_there_or_that_the_folder_is_no_export(tmp_path: Path) -> None:
    assert SOURCE.probe(settings(location=str(store(tmp_path, {f"data/{MONTH}/a-1.csv": BILL})))).endswith(
        f"1 bill files, 2026-09 to 2026-09; data/{MONTH}/a-1.csv can be read: its first 1 lines are charges in USD"
    )
    with pytest.raises(SourceError, match="none below a month"):
        SOURCE.probe(settings(location=str(store(tmp_path / "other", {"a.csv": BILL}))))


def test_a_manifest_rewritten_while_the_files_are_read_makes_the_delivery_incomplete(tmp_path: Path) -> None:
    path, told = f"metadata/{MONTH}/a-Manifest.json", manifest(f"data/{MONTH}/a-1.csv", executionId="e-1")
    store(tmp_path, {f"data/{MONTH}/a-1.csv": BILL, path: told})
    pages = SOURCE.fetch(settings(location=str(tmp_path)), month_window(date(2026, 9, 1)))
    next(pages)
    store(tmp_path, {path: manifest(f"data/{MONTH}/a-1.csv", executionId="e-2")})
    with pytest.raises(IncompleteDeliveryError, match="being written"):
        next(pages)


def test_a_file_replaced_after_it_was_read_makes_the_delivery_incomplete(tmp_path: Path) -> None:
    store(tmp_path, {f"data/{MONTH}/a-1.csv": BILL, f"data/{MONTH}/a-2.csv": BILL})
    pages = SOURCE.fetch(settings(location=str(tmp_path)), month_window(date(2026, 9, 1)))
    next(pages)
    store(tmp_path, {f"data/{MONTH}/a-1.csv": BILL + BILL})
    next(pages)
    with pytest.raises(IncompleteDeliveryError, match="being written"):
        next(pages)


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[Any, dict[str, str]]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    secret = {"aws_access_key_id": "AKIATESTTESTTEST", "aws_secret_access_key": "correct-horse-battery"}
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **secret)
    client.create_bucket(Bucket="bills")
    yield client, {**secret, "aws_endpoint_url": url, "aws_region": "us-east-1", "aws_allow_http": "true"}
    server.stop()


def test_an_export_in_a_bucket_is_read_and_a_half_written_execution_is_not(
    s3: tuple[Any, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, options = s3

    def put(key: str, content: bytes) -> None:
        client.put_object(Bucket="bills", Key=f"cur/acme/{key}", Body=content)

    files = [f"data/{MONTH}/acme-0000{n}.csv" for n in (1, 2)]
    put(files[0], BILL)
    put(files[1], csv_report(line(cost="1")))
    put(f"metadata/{MONTH}/acme-Manifest.json", manifest(*files, executionId="e-1"))
    assert names("s3://bills/cur/acme", storage=options) == [*files, f"metadata/{MONTH}/acme-Manifest.json"]
    assert names("s3://bills/cur", storage=options)[0] == f"acme/{files[0]}", "the export's parent will do"
    put(files[0], csv_report(line(cost="2")))  # the next execution's first file; its second one is still to come
    _later(monkeypatch, files[0])
    with pytest.raises(IncompleteDeliveryError, match="newer than their manifest"):
        fetch("s3://bills/cur/acme", storage=options)
    put(files[1], csv_report(line(cost="3")))
    put(f"metadata/{MONTH}/acme-Manifest.json", manifest(*files, executionId="e-2"))
    monkeypatch.undo()
    bodies = contents(fetch("s3://bills/cur/acme", storage=options))
    assert bodies[:2] == [csv_report(line(cost="2")), csv_report(line(cost="3"))], "the restated month replaces"


def _later(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """The store's clock has whole seconds: the file came a minute after the others, without waiting for it."""

    def listed(*given: Any) -> list[storage.StoredObject]:
        found = storage.list_objects(*given)
        return [_moved(o) if o.path == path else o for o in found]

    def _moved(found: storage.StoredObject) -> storage.StoredObject:
        assert found.modified is not None
        return replace(found, modified=found.modified + timedelta(minutes=1))

    monkeypatch.setattr(bill_fetch, "list_objects", listed)
