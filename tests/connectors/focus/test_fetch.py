"""A month's files are found whatever the layout; a month that is not all there is not taken for all there is."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.base import IncompleteDeliveryError, SourceError, Window
from connectors.focus import SOURCE
from connectors.focus.months import month_of
from connectors.registry import source
from connectors.windows import month_window
from tests.connectors.faulty_server import FaultyServer, cut_in_half, serve_bucket
from tests.connectors.focus.bills import csv_bill, line, only, read, settings
from tests.moto_s3 import SECRET, object_store

BILL = csv_bill(line())


def store(folder: Path, *paths: str, **manifests: object) -> None:
    """Writes a bill at every path, and every manifest (`__` in its name stands for a slash) as JSON."""
    contents = dict.fromkeys(paths, BILL) | {
        name.replace("__", "/"): json.dumps(content).encode() for name, content in manifests.items()
    }
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def fetched(folder: Path, month: date = date(2026, 9, 1), **over: object) -> list[str]:
    """The paths that are fetched for a month."""
    return [page.name for page in SOURCE.fetch(settings(location=str(folder), **over), month_window(month))]


def test_the_registry_knows_the_source() -> None:
    assert source("focus") is SOURCE


@pytest.mark.parametrize(
    ("day", "over", "months"),
    [
        (date(2026, 10, 15), {}, [(2026, 9), (2026, 10)]),
        (date(2026, 10, 16), {}, [(2026, 10)]),
        (date(2026, 1, 1), {"trailing_months": 2}, [(2025, 11), (2025, 12), (2026, 1)]),
        (date(2026, 12, 31), {"restated_through_day": 31}, [(2026, 11), (2026, 12)]),
        (date(2026, 10, 1), {"trailing_months": 0}, [(2026, 10)]),
    ],
)
def test_closed_months_are_pulled_again_while_providers_restate_them(
    day: date, over: dict[str, int], months: list[tuple[int, int]]
) -> None:
    assert [(w.start.year, w.start.month) for w in SOURCE.windows(settings(**over), day)] == months


def test_a_window_is_a_calendar_month() -> None:
    assert month_window(date(2026, 12, 24)) == Window(datetime(2026, 12, 1), datetime(2027, 1, 1))
    assert month_window(date(2028, 2, 29)) == Window(datetime(2028, 2, 1), datetime(2028, 3, 1))


@pytest.mark.parametrize(
    ("path", "month"),
    [
        ("data/BILLING_PERIOD=2026-09/acme-00001.snappy.parquet", date(2026, 9, 1)),
        ("data/BILLING_PERIOD=2026-09/2026-10-03T20:16:37.306Z-3695a728/acme-1.csv.gz", date(2026, 9, 1)),
        ("cost/focus-daily/20260901-20260930/202610040702/part_0_0001.csv", date(2026, 9, 1)),
        ("cost/focus-daily/20260901-20260930/0e0e0e0e-0000-4000-8000-000000000001/part_0_0001.csv", date(2026, 9, 1)),
        ("month=202609/0001.parquet", date(2026, 9, 1)),
        ("bill_2026-09.csv", date(2026, 9, 1)),
        ("account-120260912345/bill.csv", None),
        ("202613/bill.csv", None),
        ("latest/bill.csv", None),
    ],
)
def test_the_first_month_in_a_path_is_its_month(path: str, month: date | None) -> None:
    assert month_of(path, settings()) == month


@pytest.mark.parametrize(
    ("layout", "path", "month"),
    [
        ("billing_period={year}-{month:02}/*", "billing_period=2026-09/a/b.csv", date(2026, 9, 1)),
        ("billing_period={year}-{month:02}/*", "old/billing_period=2026-09/b.csv", None),
        ("{year}/{month}/*", "2026/9/b.csv", date(2026, 9, 1)),
        ("{year}/{month}/*", "2026/12/b.csv", date(2026, 12, 1)),
        ("*/{year}{month:02}*", "202501/202609.csv", date(2026, 9, 1)),
        ("*-{month:02}-{year}.csv", "bill-09-2026.csv", date(2026, 9, 1)),
    ],
)
def test_a_layout_tells_the_month_of_a_path(layout: str, path: str, month: date | None) -> None:
    assert month_of(path, settings(layout=layout)) == month


@pytest.mark.parametrize(
    "layout", ["*", "{year}/*", "{year}-{month:02", "{year}-{month:q}", "{year}-{month}-{day}", "{0}"]
)
def test_a_layout_without_the_month_is_refused_with_an_example(layout: str) -> None:
    with pytest.raises(ValidationError, match=r"must hold \{year\} and \{month\}, as in"):
        settings(layout=layout)


@pytest.mark.parametrize("pattern", ["(", "(?P<model>a)(?=b)", "no groups", "(?P<team>.)"])
def test_a_rule_that_cannot_work_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"pattern|must name"):
        settings(models=[{"column": "SkuMeter", "pattern": pattern}])


def test_only_the_months_files_are_fetched_in_the_order_of_their_paths(tmp_path: Path) -> None:
    store(tmp_path, "2026-09/b.csv", "2026-09/a.parquet", "2026-09/c.CSV.GZ", "2026-08/x.csv", "2026-09/readme.txt")
    store(tmp_path, "2026-09/_SUCCESS", "2026-09/.hidden.csv", "2026-09/_temporary.parquet")
    assert fetched(tmp_path) == ["2026-09/a.parquet", "2026-09/b.csv", "2026-09/c.CSV.GZ"]


def test_all_files_are_read_where_the_layout_is_any(tmp_path: Path) -> None:
    store(tmp_path, "b.csv", "old/a.csv")
    assert fetched(tmp_path, layout="any") == ["b.csv", "old/a.csv"]


def test_a_month_without_files_is_unknown_unless_it_lies_before_the_first_one(tmp_path: Path) -> None:
    store(tmp_path, "2026-09/a.csv", "2026-11/a.csv")
    assert fetched(tmp_path, date(2026, 8, 1)) == []
    for month in (date(2026, 10, 1), date(2026, 12, 1)):
        with pytest.raises(SourceError, match=rf"no file for {month:%Y-%m} \(its months are 2026-09 to 2026-11\)"):
            fetched(tmp_path, month)


@pytest.mark.parametrize("over", [{}, {"layout": "any"}])
def test_an_empty_location_is_no_empty_bill(tmp_path: Path, over: dict[str, str]) -> None:
    with pytest.raises(SourceError, match="may not have delivered it yet"):
        fetched(tmp_path, **over)


@pytest.mark.parametrize("path", ["2026-09/bill.csv.zip", "2026-09/bill.xlsx", "2026-09/bill.orc"])
def test_a_bill_in_a_format_that_is_not_read_is_not_passed_over(tmp_path: Path, path: str) -> None:
    store(tmp_path, "2026-09/a.csv", path)
    with pytest.raises(SourceError, match=rf"{path} is none of .csv"):
        fetched(tmp_path)


def test_a_bill_beside_its_own_archive_is_refused(tmp_path: Path) -> None:
    store(tmp_path, "2026-09/a.csv", "2026-09/a.csv.gz")
    with pytest.raises(SourceError, match="counted twice"):
        fetched(tmp_path)


def test_a_manifest_decides_which_files_count_and_comes_along(tmp_path: Path) -> None:
    store(tmp_path, "2026-09/a.csv", "2026-09/left-over.csv", **{"2026-09__bill.manifest.json": {"files": ["a.csv"]}})
    assert fetched(tmp_path) == ["2026-09/a.csv", "2026-09/bill.manifest.json"]


@pytest.mark.parametrize(
    "manifest",
    [
        {"dataFiles": ["s3://bucket/root/data/BILLING_PERIOD=2026-09/acme-1.csv"]},
        {"blobs": [{"blobName": "root/data/BILLING_PERIOD=2026-09/acme-1.csv", "dataRowCount": 1}], "dataRowCount": 1},
        {"files": ["acme-1.csv"]},
    ],
)
def test_manifests_of_aws_and_azure_name_files_by_their_whole_path(tmp_path: Path, manifest: object) -> None:
    paths = ["data/BILLING_PERIOD=2026-09/acme-1.csv", "data/BILLING_PERIOD=2026-09/acme-2.csv"]
    store(tmp_path, *paths, **{"metadata__BILLING_PERIOD=2026-09__acme-Manifest.json": manifest})
    assert fetched(tmp_path) == [paths[0], "metadata/BILLING_PERIOD=2026-09/acme-Manifest.json"]


def test_a_half_delivered_month_is_incomplete(tmp_path: Path) -> None:
    store(tmp_path, "2026-09/a.csv", **{"2026-09__manifest.json": {"files": ["a.csv", "b.csv"], "rows": 2}})
    with pytest.raises(IncompleteDeliveryError, match=r"names 2 files; 1 are not there: b.csv; .*run the day again"):
        fetched(tmp_path)


def test_a_manifest_that_is_still_being_written_is_incomplete_and_not_no_manifest(tmp_path: Path) -> None:
    store(tmp_path, "2026-09/a.csv")
    (tmp_path / "2026-09/manifest.json").write_bytes(b'{"files": ["a.c')
    with pytest.raises(IncompleteDeliveryError, match="manifest cannot be read"):
        fetched(tmp_path)


def test_a_manifest_of_no_files_confirms_an_empty_month(tmp_path: Path) -> None:
    store(tmp_path, **{"2026-09__manifest.json": {"blobs": [], "dataRowCount": 0}})
    (page,) = SOURCE.fetch(settings(location=str(tmp_path)), month_window(date(2026, 9, 1)))
    with page.body.open() as stream:
        bill = read(stream.read())
    assert (bill.rows, bill.closing.stated_rows, bill.closing.is_final) == ([], 0, False)


def test_a_month_delivered_twice_is_refused_until_the_settings_say_that_the_last_counts(tmp_path: Path) -> None:
    runs = ["2026-09/20261001T0100-a", "2026-09/20261002T0100-b"]
    manifests = {f"{run}__manifest.json".replace("/", "__"): {"files": ["part.csv"]} for run in runs}
    store(tmp_path, *(f"{run}/part.csv" for run in runs), **manifests)
    with pytest.raises(SourceError, match="manifests: last"):
        fetched(tmp_path)
    assert fetched(tmp_path, manifests="last") == [f"{runs[1]}/manifest.json", f"{runs[1]}/part.csv"]


def test_the_probe_says_how_many_files_and_which_months(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file for any month"):
        SOURCE.probe(settings(location=str(tmp_path)))
    store(tmp_path, "2026-09/a.csv", "2026-11/a.csv", "2026-11/b.csv")
    assert SOURCE.probe(settings(location=str(tmp_path))).endswith("3 bill files, 2026-09 to 2026-11")
    assert SOURCE.probe(settings(location=str(tmp_path), layout="any")).endswith("3 bill files")


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with object_store("bills") as store:
        for key, content in (("2026-09", BILL), ("2026-08", b"other")):
            path = f"focus/data/BILLING_PERIOD={key}/acme-00001.csv"
            store.client.put_object(Bucket="bills", Key=path, Body=content)
        yield store.options


def test_a_bill_in_s3_is_found_and_read(s3: dict[str, str]) -> None:
    chosen = settings(location="s3://bills/focus", storage=s3)
    assert SOURCE.probe(chosen) == "s3://bills/focus: 2 bill files, 2026-08 to 2026-09"
    (page,) = SOURCE.fetch(chosen, month_window(date(2026, 9, 1)))
    assert page.name == "data/BILLING_PERIOD=2026-09/acme-00001.csv"
    with page.body.open() as stream:
        assert only(read(stream.read()))["service_name"] == "Amazon Elastic Compute Cloud"


def test_settings_never_show_the_stores_secrets(s3: dict[str, str]) -> None:
    chosen = settings(location="s3://bills/focus", storage=s3)
    assert SECRET not in repr(chosen)
    assert SECRET not in str(chosen)


def test_a_body_that_is_always_cut_short_is_an_error_and_no_shorter_bill(server: FaultyServer) -> None:
    options = serve_bucket(server, "bills", {"2026-09/a.csv": BILL})
    (page,) = SOURCE.fetch(settings(location="s3://bills", storage=options), month_window(date(2026, 9, 1)))
    server.inject_always(cut_in_half)
    with pytest.raises(SourceError), page.body.open() as stream:
        stream.read()
