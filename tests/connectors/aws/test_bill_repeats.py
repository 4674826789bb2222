"""Lines of a report that came twice, by the id that AWS gives each: refused as files, told as lines."""

from datetime import datetime
from decimal import Decimal

import pytest

from connectors.aws.bill_choice import named_files
from connectors.base import IncompleteDeliveryError, SourceError
from connectors.storage import StoredObject
from tests.connectors.aws.bill_reports import csv_report, gz_report, line, only, parquet_report, read

LINES = [line(cost=f"{n}.5", identity_line_item_id=f"id-{n}") for n in range(20)]


def test_two_files_of_the_same_lines_are_refused_although_a_manifest_names_both() -> None:
    manifest = b'{"dataFiles": ["page-0", "page-1"]}'
    with pytest.raises(IncompleteDeliveryError, match=r"every line of 2 of 2 files .* page-0 \(20 lines\), page-1"):
        read(parquet_report(*LINES), parquet_report(*LINES[::-1]), manifest)


def test_a_file_that_another_holds_is_refused() -> None:
    with pytest.raises(IncompleteDeliveryError, match=r"every line of 1 of 2 files .* page-1 \(12 lines\)"):
        read(gz_report(*LINES), gz_report(*LINES[4:16]))


def test_a_file_that_has_each_line_twice_is_refused() -> None:
    with pytest.raises(IncompleteDeliveryError, match="every line of 1 of 1 files"):
        read(csv_report(*LINES, *LINES))


@pytest.mark.parametrize("report", [parquet_report, gz_report])
def test_files_that_overlap_are_counted_and_told_with_what_they_bill(report: type) -> None:
    found = read(report(*LINES[:12]), report(*LINES[9:], *LINES[18:]))
    # 9.5 + 10.5 + 11.5 of both files, 18.5 + 19.5 twice in one
    (told,) = [notice for notice in found.notices if "came again" in notice]
    assert told.startswith("5 lines came again under the id of another")
    assert "billed 69.5: they are counted" in told
    assert found.total() == sum((Decimal(f"{n}.5") for n in range(20)), Decimal("69.5"))


def test_an_id_may_come_again_in_another_interval_or_at_another_cost() -> None:
    later = "2026-09-03T01:00:00Z/2026-09-03T02:00:00Z"
    again = [{**entry, "identity_time_interval": later} for entry in LINES]
    dearer = [{**entry, "line_item_unblended_cost": "77"} for entry in LINES]
    found = read(parquet_report(*LINES), parquet_report(*again), parquet_report(*dearer))
    assert len(found.rows) == 60
    assert not [notice for notice in found.notices if "came again" in notice]


def test_a_term_ends_with_the_first_instant_after_it() -> None:
    plan = "arn:aws:savingsplans::1:savingsplan/a"
    ends = {"2027-09-01T23:59:59.000Z": datetime(2027, 9, 2), "2027-09-02T00:00:00.000Z": datetime(2027, 9, 2)}
    for told, expected in ends.items():
        entry = line("SavingsPlanRecurringFee", savings_plan_savings_plan_a_r_n=plan, savings_plan_end_time=told)
        assert only(csv_report(entry))["x_commitment_end"] == expected


def test_a_bare_name_that_two_files_bear_is_refused() -> None:
    files = [StoredObject(path, 1, "e", None) for path in ("data/BILLING_PERIOD=2026-09/x.parquet", "old/x.parquet")]
    for name, count in (("x.parquet", 2), ("s3://b/p/data/BILLING_PERIOD=2026-09/x.parquet", 1)):
        if count == 1:
            assert named_files("m.json", [name], files) == (files[0],)
            continue
        with pytest.raises(SourceError, match=r"names x\.parquet, and 2 files can be meant"):
            named_files("m.json", [name], files)
