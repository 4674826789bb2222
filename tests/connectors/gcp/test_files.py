"""An invoice month's exported files are found, in a folder and in Cloud Storage; a missing month is never zero."""

from datetime import date
from pathlib import Path

import pytest

from connectors.base import SourceError
from connectors.gcp.bill import SOURCE
from connectors.gcp.bill_files import month_of
from connectors.windows import month_window
from tests.connectors.faulty_server import FaultyServer, serve_bucket
from tests.connectors.gcp.lines import flat_csv, json_lines, line, parquet, september, settings


def put(folder: Path, *paths: str) -> str:
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(json_lines(line()))
    return str(folder)


def fetched(location: str, month: date = date(2026, 9, 1), **over: object) -> list[str]:
    return [page.name for page in SOURCE.fetch(settings(location=location, **over), month_window(month))]


@pytest.mark.parametrize(
    ("path", "month"),
    [
        ("billing/month=202609/000000000000.parquet", date(2026, 9, 1)),
        ("2026-09/0.jsonl", date(2026, 9, 1)),
        ("202609/202610-export.csv.gz", date(2026, 9, 1)),
        ("invoice_month=2026-09/day=2026-09-03/x.json", date(2026, 9, 1)),
        ("gcp_billing_export_v1_01A202609_BBBBBB/x.csv", None),
        ("20260901/x.csv", None),
        ("all/x.csv", None),
    ],
)
def test_the_first_invoice_month_in_a_path_counts(path: str, month: date | None) -> None:
    assert month_of(path) == month


def test_a_month_is_its_folder_without_markers_and_hidden_files(tmp_path: Path) -> None:
    location = put(tmp_path, "month=202608/0.json", "month=202609/0.json", "month=202609/1.jsonl")
    put(tmp_path, "month=202609/_SUCCESS", "month=202609/.tmp.json", "month=202609/notes.txt")
    assert fetched(location) == ["month=202609/0.json", "month=202609/1.jsonl"]
    assert SOURCE.probe(settings(location=location)).endswith(
        ": 3 exported files, 2026-08 to 2026-09; month=202609/1.jsonl can be read: its first 1 lines are charges in USD"
    )


def test_a_month_without_files_is_unknown_unless_it_is_before_the_first(tmp_path: Path) -> None:
    location = put(tmp_path, "month=202608/0.json", "month=202610/0.json")
    with pytest.raises(SourceError, match="no file for 2026-09"):
        fetched(location)
    assert fetched(location, date(2026, 7, 1)) == []


def test_an_empty_location_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file for 2026-09"):
        fetched(str(tmp_path))
    with pytest.raises(SourceError, match="no file for any month"):
        SOURCE.probe(settings(location=str(tmp_path)))


def test_a_file_that_cannot_be_read_is_told_and_not_missed(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"0\.avro is none of"):
        fetched(put(tmp_path, "month=202609/0.avro", "month=202609/1.json"))


def test_a_file_beside_its_own_archive_would_count_twice(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="counted twice"):
        fetched(put(tmp_path, "month=202609/0.csv", "month=202609/0.csv.gz"))


def test_with_any_layout_every_file_is_read(tmp_path: Path) -> None:
    assert fetched(put(tmp_path, "a/0.json", "b/202608.json"), layout="any") == ["a/0.json", "b/202608.json"]


def test_an_export_in_cloud_storage_is_read_through_its_own_api(server: FaultyServer) -> None:
    """Listing and objects as Cloud Storage's XML API answers them; its address for tests is `google_base_url`."""
    objects = {
        "billing/month=202609/0.parquet": parquet(line()),
        "billing/month=202609/1.csv": flat_csv(line(cost=1.0)),
    }
    serve_bucket(server, "exports", objects)
    options = {"google_skip_signature": "true", "google_base_url": server.url, "google_allow_http": "true"}
    given = settings(location="gs://exports/billing", storage=options)
    pages = list(SOURCE.fetch(given, september()))
    assert [page.name for page in pages] == ["month=202609/0.parquet", "month=202609/1.csv"]
    contents = []
    for page in pages:
        with page.body.open() as stream:
            contents.append(stream.read())
    assert contents == list(objects.values())
