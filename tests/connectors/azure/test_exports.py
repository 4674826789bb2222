"""Which files make a month of an export, and when they are not a whole delivery."""

import gzip
import json
import os
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.azure.bill import SOURCE
from connectors.azure.bill_settings import AzureBillSettings
from connectors.base import IncompleteDeliveryError, SourceError
from connectors.windows import month_window
from tests.connectors.azure.written import SEPTEMBER, csv_of, frame, line, night, run_of, settings


def cost_of(folder: Path, **over: str) -> Decimal:
    return frame(night(settings(location=str(folder), amortized=None, **over)))["billed_cost"].sum()


def test_of_several_runs_the_one_that_was_submitted_last_counts(tmp_path: Path) -> None:
    for hour, cost, submitted in (
        ("202609040702", "3", "2026-09-05T07:02:11Z"),
        ("202609050702", "2", "2026-09-04T07:00:00Z"),
    ):
        run_of(
            tmp_path,
            "actual",
            "ActualCost",
            {"p.csv": csv_of(line(Cost=cost))},
            hour,
            runInfo={"submittedTime": submitted},
        )
    assert cost_of(tmp_path) == 3


def test_of_several_runs_without_an_instant_the_last_folder_counts(tmp_path: Path) -> None:
    for hour in ("202609040702", "202609050702"):
        run_of(tmp_path, "actual", None, {"p.csv": csv_of(line(Cost=hour[7]))}, hour)
    assert cost_of(tmp_path) == 5


def two_runs_without_an_instant(folder: Path, first: float, second: float) -> None:
    """Run f3a1 of 10 and run 0b77 of 300, whose manifests were written at those seconds."""
    for name, cost, written in (("f3a1", "10", first), ("0b77", "300", second)):
        run = run_of(folder, "actual", None, {"p.csv": csv_of(line(Cost=cost))}, name)
        os.utime(run / "manifest.json", (written, written))


@pytest.mark.parametrize(
    ("first", "second", "cost"), [(1_757_000_000, 1_757_003_600, 300), (1_757_003_600, 1_757_000_000, 10)]
)
def test_of_runs_that_say_nothing_the_manifest_written_last_counts_whatever_their_folders_are_called(
    first: float, second: float, cost: int, tmp_path: Path
) -> None:
    two_runs_without_an_instant(tmp_path, first, second)
    assert cost_of(tmp_path) == cost


def test_of_runs_that_nothing_tells_apart_none_is_chosen(tmp_path: Path) -> None:
    two_runs_without_an_instant(tmp_path, 1_757_000_000, 1_757_000_000)
    with pytest.raises(SourceError, match=r"nothing tells which run is the newest of .*0b77.*f3a1"):
        cost_of(tmp_path)


def test_a_run_without_its_manifest_is_under_way_and_does_not_count_yet(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"p.csv": csv_of(line())}, "202609040702")
    later = run_of(tmp_path, "actual", "ActualCost", {"p.csv": csv_of(line(Cost="999"))}, "202609050702")
    (later / "manifest.json").unlink()
    assert cost_of(tmp_path) == 180


def test_a_month_whose_only_run_is_under_way_is_an_incomplete_delivery(tmp_path: Path) -> None:
    run = run_of(tmp_path, "actual", "ActualCost", {"p.csv": csv_of(line())})
    (run / "manifest.json").unlink()
    with pytest.raises(IncompleteDeliveryError, match=r"no manifest\.json"):
        cost_of(tmp_path)


def test_a_blob_that_is_not_there_is_an_incomplete_delivery(tmp_path: Path) -> None:
    run = run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line()), "b.csv": csv_of(line(Cost="2"))})
    (run / "b.csv").unlink()
    with pytest.raises(IncompleteDeliveryError, match=r"b\.csv, which is not there"):
        cost_of(tmp_path)


def test_a_blob_of_another_size_is_an_incomplete_delivery(tmp_path: Path) -> None:
    run = run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line(), line())})
    (run / "a.csv").write_bytes(csv_of(line()))
    with pytest.raises(IncompleteDeliveryError, match=r"its manifest says [\d,]+"):
        cost_of(tmp_path)


@pytest.mark.parametrize(
    "over",
    [
        {"blobCount": 2},
        {"dataRowCount": "many"},
        {"blobs": [], "blobCount": 0},
        {"blobs": [{}], "blobCount": 1},
        {"exportConfig": {"type": "PriceSheet"}},
    ],
)
def test_a_manifest_that_contradicts_itself_is_an_incomplete_delivery(tmp_path: Path, over: dict[str, object]) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())}, **over)
    with pytest.raises(IncompleteDeliveryError, match="the manifest cannot be read"):
        cost_of(tmp_path)


def test_a_manifest_that_is_cut_is_an_incomplete_delivery(tmp_path: Path) -> None:
    run = run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())})
    (run / "manifest.json").write_text('{"blobs": [')
    with pytest.raises(IncompleteDeliveryError, match="the manifest cannot be read"):
        cost_of(tmp_path)


def test_no_blobs_and_no_rows_are_an_empty_month(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {}, rows=0)
    chunks = night(settings(location=str(tmp_path), amortized=None))
    assert frame(chunks).height == 0
    assert chunks[-1].stated_rows == 0


def test_the_manifests_rows_are_the_control_total(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line()), "b.csv": csv_of(line(Cost="2"))})
    assert night(settings(location=str(tmp_path), amortized=None))[-1].stated_rows == 2


def test_blobs_may_be_compressed(tmp_path: Path) -> None:
    packed = gzip.compress(csv_of(line()), mtime=0)
    run = tmp_path / "actual/20260901-20260930/run-1"
    run.mkdir(parents=True)
    (run / "a.csv.gz").write_bytes(packed)
    found = {"blobs": [{"blobName": "cost/actual/a.csv.gz", "byteCount": 999_999}], "dataRowCount": 1}
    (run / "manifest.json").write_text(json.dumps({**found, "deliveryConfig": {"compressionMode": "gzip"}}))
    assert cost_of(tmp_path) == 180


def test_a_part_of_a_month_is_refused_with_its_remedy(tmp_path: Path) -> None:
    run = run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())})
    run.parent.rename(run.parent.parent / "20260901-20260915")
    with pytest.raises(SourceError, match="is no calendar month"):
        cost_of(tmp_path)


def test_a_month_after_the_first_without_files_is_unknown(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())})
    given = settings(location=str(tmp_path), amortized=None)
    with pytest.raises(SourceError, match="which is not zero"):
        list(SOURCE.fetch(given, month_window(date(2026, 10, 1))))
    assert list(SOURCE.fetch(given, month_window(date(2026, 8, 1)))) == []


@pytest.mark.parametrize(
    ("month", "folder"),
    [(date(2026, 11, 1), "20261101-20261130"), (date(2027, 2, 1), "20270201-20270228")],
)
def test_a_month_without_files_is_told_with_the_folder_that_it_would_lie_in(
    month: date, folder: str, tmp_path: Path
) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())})
    given = settings(location=str(tmp_path), amortized=None)
    with pytest.raises(SourceError, match=f"expected actual/{folder}/<run>/manifest.json"):
        list(SOURCE.fetch(given, month_window(month)))


def test_an_export_that_nobody_made_is_told(tmp_path: Path) -> None:
    for ask in (lambda given: list(SOURCE.fetch(given, SEPTEMBER)), SOURCE.probe):
        with pytest.raises(SourceError, match="no folder of a month"):
            ask(settings(location=str(tmp_path), amortized=None))


def test_one_view_of_a_month_without_the_other_is_an_incomplete_delivery(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())})
    run = run_of(tmp_path, "amortized", "AmortizedCost", {"a.csv": csv_of(line())})
    run.parent.rename(run.parent.parent / "20261001-20261031")
    with pytest.raises(IncompleteDeliveryError, match="amortized holds nothing of 2026-09"):
        list(SOURCE.fetch(settings(location=str(tmp_path)), SEPTEMBER))


def test_views_that_were_mixed_up_are_told(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "AmortizedCost", {"a.csv": csv_of(line())})
    with pytest.raises(SourceError, match="is of an export of amortized charges"):
        cost_of(tmp_path)


def test_the_probe_names_the_months(tmp_path: Path) -> None:
    run_of(tmp_path, "actual", "ActualCost", {"a.csv": csv_of(line())})
    told = SOURCE.probe(settings(location=str(tmp_path), amortized=None))
    assert "actual: 1 months, 2026-09 to 2026-09; actual:actual/20260901-20260930/" in told
    assert told.endswith("a.csv can be read: its first 1 lines are charges in USD")


def test_closed_months_are_pulled_again_early_in_a_month() -> None:
    given = settings()
    assert [w.slice_date for w in SOURCE.windows(given, date(2026, 10, 10))] == [date(2026, 9, 1), date(2026, 10, 1)]
    assert [w.slice_date for w in SOURCE.windows(given, date(2026, 10, 11))] == [date(2026, 10, 1)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "give `location`"),
        ({"location": "/x"}, "give `location`"),
        ({"actual": "a"}, "give `location`"),
        ({"location": "/x", "focus": "f", "actual": "a"}, "holds both views already"),
        ({"location": "/x", "actual": "a", "amortized": "a"}, "cannot have one name"),
        ({"location": "/x", "actual": "a/b"}, "is no name of an export"),
        ({"location": "/x", "actual": "a", "report": {"scope": "/subscriptions/1"}}, "stands alone"),
        ({"report": {"scope": "mine"}}, "must be a scope's path"),
        ({"report": {"scope": "/subscriptions/1", "metrics": ["Usage"]}}, "ActualCost"),
        ({"report": {"scope": "/subscriptions/1"}, "tenant_id": "t"}, "belong together"),
        ({"report": {"scope": "/subscriptions/1"}}, "or 'credentials: ambient'"),
        ({"report": {"scope": "/subscriptions/1"}, "endpoint": "https://u:p@x"}, "must be an address"),
        ({"location": "/x", "actual": "a", "currency": "usd"}, "currency"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        AzureBillSettings.model_validate({"name": "azure", **given})


def test_two_blobs_of_one_view_with_the_same_bytes_are_named_as_such(tmp_path: Path) -> None:
    part = csv_of(line(Cost="3"))
    run_of(tmp_path, "actual", "ActualCost", {"p_1.csv": part, "p_2.csv": part})
    told = rf"p_2\.csv, .* as a file of its own: .*p_1\.csv is as long \({len(part)} bytes\).* export the month again"
    with pytest.raises(IncompleteDeliveryError, match=told):
        cost_of(tmp_path)
