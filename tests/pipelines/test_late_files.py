"""A closed month whose files are rewritten is told by every night, until somebody takes it in."""

import csv
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from connectors.aws.bill import SOURCE as AWS
from connectors.azure.bill import SOURCE as AZURE
from connectors.base import Dated, MonthFiles, RefusedRequestError
from connectors.gcp.bill import SOURCE as GOOGLE
from connectors.registry import source
from pipelines.calendar import next_month
from pipelines.house import Options, open_house
from pipelines.night.late_files import late_files
from pipelines.night.stage import stage
from tests.connectors.aws import bill_reports as aws
from tests.connectors.azure import written as azure
from tests.connectors.gcp import lines as google
from tests.pipelines.small_company import line, write_company

OCTOBER = date(2026, 10, 1)


def written_at(folder: Path, at: datetime) -> None:
    """Sets the time of every file below a folder."""
    seconds = at.replace(tzinfo=UTC).timestamp()
    for file in folder.rglob("*"):
        os.utime(file, (seconds, seconds))


def night(company: Path, day: date, months: Sequence[date] = (), options: Options | None = None) -> tuple[str, ...]:
    """What the night of that day tells of late files; it pulls October while it is not over, or a month by hand."""
    now = datetime.combine(day + timedelta(days=1), time(5, 30))
    with open_house(company, f"run-{now:%Y%m%d%H}", clock=lambda: now, options=options) as house:
        deliveries = [d for month in months or [day] for d in stage(house, "focus", month, month)]
        return late_files(house, "focus", day, [d for d in deliveries if d.x_source == "bill"])


def test_a_month_that_is_rewritten_after_its_last_night_is_told_until_it_is_taken_in(tmp_path: Path) -> None:
    company = write_company(tmp_path)
    written_at(tmp_path, datetime(2026, 11, 10))
    assert night(company, date(2026, 11, 15)) == ()  # the last night that pulls it
    assert night(company, date(2026, 12, 1)) == ()
    written_at(tmp_path / "bills", datetime(2026, 12, 3, 14, 5))
    for day in (date(2026, 12, 3), date(2026, 12, 4)):
        (told,) = night(company, day)
        assert told == (
            "bill: files of 2026-10 were written at 2026-12-03 14:05 UTC, after the month was last taken in "
            "(2026-11-16 05:30), and nights pull it no more: its costs may have changed; to take them in: "
            "farthing run 2026-10-01..2026-10-31 --source bill"
        )
    assert night(company, date(2026, 12, 5), [OCTOBER]) == ()  # it was pulled by hand
    assert night(company, date(2026, 12, 6)) == ()


def test_files_of_the_running_month_are_the_next_night_s_whatever_a_run_by_hand_pulls(tmp_path: Path) -> None:
    company = write_company(tmp_path)
    night(company, date(2026, 10, 20))
    now = datetime(2026, 10, 23, 5, 30)
    written_at(tmp_path / "bills", datetime(2026, 10, 22))
    with open_house(company, "by-hand", clock=lambda: now) as house:
        deliveries = stage(house, "focus", date(2026, 9, 30), date(2026, 9, 30))
        assert late_files(house, "focus", date(2026, 9, 30), deliveries) == ()


def test_late_lines_of_a_table_are_told_and_none_of_its_months_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table lists the months that lately got lines, and no others."""
    company = write_company(tmp_path)
    listed = dict[date, MonthFiles]()

    def written(*_: object) -> dict[date, MonthFiles]:
        return listed

    monkeypatch.setattr(type(source("focus")), "written", written)
    assert night(company, date(2026, 11, 15)) == ()
    listed[date(2026, 12, 1)] = MonthFiles(None, datetime(2026, 12, 2, 4))
    assert night(company, date(2026, 12, 2)) == ()
    listed[OCTOBER] = MonthFiles(None, datetime(2026, 12, 3, 14, 5))
    told, of_the_other = sorted(night(company, date(2026, 12, 3)))
    assert of_the_other.startswith("other-bill: lines of 2026-10")
    assert told.startswith(
        "bill: lines of 2026-10 were exported at 2026-12-03 14:05 UTC, after the month was last taken"
    )
    assert told.endswith("farthing run 2026-10-01..2026-10-31 --source bill")


def test_a_store_that_does_not_say_what_was_written_is_told_where_no_delivery_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that a limit refuses, beside a delivery that is well; of a store that is gone the delivery tells."""
    company = write_company(tmp_path)

    def refused(*_: object) -> None:
        raise RefusedRequestError(400, "table x: the query scans more than 'maximum_gib_billed' allows")

    monkeypatch.setattr(type(source("focus")), "written", refused)
    told = [line for line in night(company, date(2026, 10, 31)) if line.startswith("bill: ")]
    limit = "table x: the query scans more than 'maximum_gib_billed' allows"
    assert told == [f"bill: whether closed months changed since is not known: {limit}"]
    monkeypatch.setattr(type(source("focus")), "fetch", refused)
    assert [line for line in night(company, date(2026, 11, 1)) if line.startswith("bill: ")] == []


def earlier_bill(company: Path, month: str, count: int) -> Path:
    """A bill of a month before October, in as many files, of which none is a copy of another."""
    first = date.fromisoformat(f"{month}-01")
    days = {"BillingPeriodStart": first, "BillingPeriodEnd": next_month(first)}
    days |= {"ChargePeriodStart": first, "ChargePeriodEnd": first + timedelta(days=1)}
    told = {name: f"{day}T00:00:00Z" for name, day in days.items()}
    folder = company.parent / "bills" / month
    folder.mkdir()
    for number in range(count):
        row = line(**told, ResourceId=f"i-{number}")
        with (folder / f"bill-{number}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([row.keys(), row.values()])
    return folder


def test_files_of_a_month_that_nobody_lists_any_more_are_told_and_what_was_taken_in_stays(tmp_path: Path) -> None:
    company = write_company(tmp_path)
    folder = earlier_bill(company, "2026-09", 2)
    written_at(tmp_path, datetime(2026, 10, 10))
    assert night(company, date(2026, 11, 15), [date(2026, 9, 1), OCTOBER]) == ()
    assert night(company, date(2026, 12, 1)) == ()
    (folder / "bill-1.csv").unlink()
    (told,) = night(company, date(2026, 12, 2))
    assert told == (
        "bill: only 1 of the 2 files of 2026-09 can be found any more, which was last taken in 2026-11-16 05:30: what "
        "was taken in stays and counts. If files were taken away by mistake, put them back; if the provider took them "
        "back, have what is left taken in: "
        "farthing run 2026-09-01..2026-09-30 --source bill --confirm bill"
    )
    (folder / "bill-0.csv").unlink()
    (told,) = night(company, date(2026, 12, 3))
    assert told.startswith("bill: no file of 2026-09 can be found any more")
    assert told.endswith(
        "have what is left taken in: first put a file with its header alone where the month's files lay, then "
        "farthing run 2026-09-01..2026-09-30 --source bill --confirm bill"
    )
    # so long ago, at the beginning of what is listed: somebody cleared away what is old
    assert night(company, date(2027, 1, 20)) == ()
    earlier_bill(company, "2026-08", 1)
    appeared, told = night(company, date(2027, 1, 21))  # but never from the middle
    assert appeared.startswith("bill: files of 2026-08 were written")
    assert told.startswith("bill: no file of 2026-09 can be found any more")


def test_a_month_that_the_provider_took_back_is_taken_in_as_a_header_alone(tmp_path: Path) -> None:
    company = write_company(tmp_path)
    folder = earlier_bill(company, "2026-09", 1)
    earlier_bill(company, "2026-08", 1)  # before what is listed a month is known to be empty, between it is not
    written_at(tmp_path, datetime(2026, 10, 10))
    september = date(2026, 9, 1)
    assert night(company, date(2026, 11, 15), [september, OCTOBER]) == ()
    file = folder / "bill-0.csv"
    header = file.read_text(encoding="utf-8").splitlines()[0]
    file.unlink()
    confirmed = Options(confirmed=frozenset({"bill"}))
    night(company, date(2026, 12, 2), [september], confirmed)
    (told,) = night(company, date(2026, 12, 3))
    assert told.startswith("bill: no file of 2026-09")  # there was nothing to confirm
    file.write_text(f"{header}\n", encoding="utf-8")
    written_at(folder, datetime(2026, 12, 4, 12))
    assert night(company, date(2026, 12, 4), [september], confirmed) == ()
    assert night(company, date(2026, 12, 5)) == ()


def test_what_is_written_after_now_tells_nothing(tmp_path: Path) -> None:
    company = write_company(tmp_path)
    written_at(tmp_path, datetime(2026, 11, 10))
    night(company, date(2026, 11, 15))
    written_at(tmp_path / "bills", datetime(2030, 1, 1))
    assert night(company, date(2026, 12, 1)) == ()


@pytest.mark.parametrize("cloud", ["aws", "google", "azure"])
def test_every_cloud_s_files_tell_when_a_month_was_last_written(cloud: str, tmp_path: Path) -> None:
    source, settings = {
        "aws": (AWS, aws.settings(location=str(tmp_path))),
        "google": (GOOGLE, google.settings(location=str(tmp_path))),
        "azure": (AZURE, azure.settings(location=str(tmp_path), amortized=None)),
    }[cloud]
    if cloud == "azure":
        azure.run_of(tmp_path, "actual", "ActualCost", {"a.csv": azure.csv_of(azure.line())})
    else:
        folder = tmp_path / ("BILLING_PERIOD=2026-09" if cloud == "aws" else "month=202609")
        folder.mkdir()
        (folder / "a.csv").write_bytes(b"")
        (folder / "b.csv").write_bytes(b"")
        (tmp_path / "readme.txt").write_bytes(b"")
    at = datetime(2026, 10, 5, 6, 7, 8)
    written_at(tmp_path, at)
    assert isinstance(source, Dated)
    expected = 2  # an export of Azure's has a manifest; the others have two files each
    assert source.written(settings) == {date(2026, 9, 1): MonthFiles(expected, at)}
