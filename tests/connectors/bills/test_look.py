"""A check opens the newest file of a bill: what would fail in the night is told before it, with the remedy."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.aws.bill import SOURCE as AWS
from connectors.azure.bill import SOURCE as AZURE
from connectors.base import SourceError
from connectors.focus import SOURCE as FOCUS
from connectors.gcp.bill import SOURCE as GOOGLE
from tests.connectors.aws import bill_reports as aws
from tests.connectors.azure import written as azure
from tests.connectors.focus import bills as focus
from tests.connectors.gcp import lines as google

AWS_BILL, AZURE_BILL = aws.csv_report(aws.line()), azure.csv_of(azure.line())
GOOGLE_BILL, FOCUS_BILL = google.flat_csv(google.line()), focus.csv_bill(focus.line())


def of_aws(folder: Path, content: bytes, **over: Any) -> str:
    for month, bill in (("2026-08", b"cut"), ("2026-09", content)):  # only the newest month is opened
        (folder / f"BILLING_PERIOD={month}").mkdir(parents=True)
        (folder / f"BILLING_PERIOD={month}" / "a.csv").write_bytes(bill)
    return AWS.probe(aws.settings(location=str(folder), **over))


def of_google(folder: Path, content: bytes, **over: Any) -> str:
    (folder / "month=202609").mkdir(parents=True)
    (folder / "month=202609" / "0.parquet").write_bytes(content)
    return GOOGLE.probe(google.settings(location=str(folder), **over))


def of_azure(folder: Path, content: bytes, **over: Any) -> str:
    for view, kind in (("actual", "ActualCost"), ("amortized", "AmortizedCost")):
        azure.run_of(folder, view, kind, {"a.csv": content})
    return AZURE.probe(azure.settings(location=str(folder), **over))


PROBES: dict[str, tuple[Callable[..., str], bytes, str]] = {
    "aws": (of_aws, AWS_BILL, "a Cost and Usage Report of AWS (kind: aws_bill)"),
    "google": (of_google, GOOGLE_BILL, "Google's billing export (kind: gcp_bill)"),
    "azure": (of_azure, AZURE_BILL, "a cost export of Azure (kind: azure_bill)"),
}


@pytest.mark.parametrize("name", PROBES)
def test_a_bill_that_fits_is_told_as_one(name: str, tmp_path: Path) -> None:
    probe, content, _ = PROBES[name]
    told = probe(tmp_path, content)
    assert told.count("can be read: its first 1 lines are charges in USD") == (2 if name == "azure" else 1)


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("other", PROBES)
def test_another_cloud_s_export_is_told_with_the_kind_that_it_needs(name: str, other: str, tmp_path: Path) -> None:
    if name != other:
        with pytest.raises(SourceError, match=re.escape(f"Its columns are those of {PROBES[other][2]}")):
            PROBES[name][0](tmp_path, PROBES[other][1])


@pytest.mark.parametrize("name", ["google", "azure"])  # an AWS source reads FOCUS
def test_focus_where_a_native_export_is_expected_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a bill in FOCUS columns"):
        PROBES[name][0](tmp_path, FOCUS_BILL)


@pytest.mark.parametrize("name", PROBES)
def test_another_currency_than_the_setting_s_is_told(name: str, tmp_path: Path) -> None:
    probe, content, _ = PROBES[name]
    with pytest.raises(SourceError, match=r"none of its lines can be staged.*'USD', expected .?'?EUR"):
        probe(tmp_path, content, currency="EUR")


@pytest.mark.parametrize("name", PROBES)
def test_a_layout_that_matches_nothing_is_told_with_the_columns_that_are_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="column") as told:
        PROBES[name][0](tmp_path, b"day,amount\n2026-09-01,5\n")
    assert "Its columns are those of" not in str(told.value)


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"0\.parquet"):
        of_google(tmp_path, google.parquet(google.line())[:-100])


@pytest.mark.parametrize("name", PROBES)
def test_a_native_export_where_focus_is_expected_is_told_with_the_kind_that_it_needs(name: str, tmp_path: Path) -> None:
    (tmp_path / "2026-09").mkdir()
    (tmp_path / "2026-09" / "bill.csv").write_bytes(PROBES[name][1])
    with pytest.raises(SourceError, match=re.escape(f"Its columns are those of {PROBES[name][2]}")):
        FOCUS.probe(focus.settings(location=str(tmp_path)))


def of_google_in_one_folder(folder: Path, *contents: bytes, **over: Any) -> str:
    for number, content in enumerate(contents):
        (folder / f"{number}.parquet").write_bytes(content)
        os.utime(folder / f"{number}.parquet", (10 - number, 10 - number))  # the first is the newest
    return GOOGLE.probe(google.settings(location=str(folder), layout="any", **over))


def test_of_files_that_name_no_month_the_newest_is_read_for_the_month_of_its_lines(tmp_path: Path) -> None:
    both = google.parquet(google.line(), google.line(invoice={"month": "202608"}))
    assert of_google_in_one_folder(tmp_path, both, b"cut").endswith(
        "2 exported files; 0.parquet can be read: its first 1 lines are charges in USD"
    )
    with pytest.raises(SourceError, match="none of its lines can be staged"):
        of_google_in_one_folder(tmp_path, both, currency="EUR")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (AZURE_BILL, "Its columns are those of a cost export of Azure"),
        (FOCUS_BILL, "a bill in FOCUS columns"),
        (google.parquet(google.line())[:-100], r"0\.parquet"),
        (google.flat_csv(google.line(invoice={"month": "soon"})), "none of its lines can be staged"),
    ],
)
def test_a_file_that_names_no_month_and_does_not_fit_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=words):
        of_google_in_one_folder(tmp_path, content)


def test_a_file_without_lines_is_no_fault(tmp_path: Path) -> None:
    assert of_aws(tmp_path, AWS_BILL.splitlines(keepends=True)[0]).endswith("a.csv holds no line yet")
