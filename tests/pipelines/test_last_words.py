"""Nothing stays as it was before its last word unseen: later nights take closed months, and what they cannot is told."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.calendar import days_between
from pipelines.house import open_house
from pipelines.lake import Delivery
from pipelines.night.last_words import missed
from pipelines.night.stage import stage
from tests.pipelines.conftest import night, published
from tests.pipelines.small_company import line, write_bill

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
CONFIG = """\
company: Small
lake: lake
sources:
  - {name: bill, kind: focus, account: main, location: bills}
teams:
  - {id: search, name: Search}
"""
DAILY_CONFIG = """\
company: Small
lake: lake
sources:
  - {name: gateway, kind: litellm, location: log, hash_key: "file:key"}
teams:
  - {id: search, name: Search}
"""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    (tmp_path / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    billed(tmp_path, OCTOBER, "3")
    return tmp_path


def billed(company: Path, month: date, cost: str) -> None:
    end = (month + timedelta(days=32)).replace(day=1)
    row = line(
        BilledCost=cost,
        EffectiveCost=cost,
        BillingPeriodStart=f"{month}T00:00:00Z",
        BillingPeriodEnd=f"{end}T00:00:00Z",
        ChargePeriodStart=f"{month}T00:00:00Z",
        ChargePeriodEnd=f"{month + timedelta(days=1)}T00:00:00Z",
    )
    path = write_bill(company / "new", [row])
    target = company / "bills" / f"{month:%Y-%m}" / "bill.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def pulled(
    company: Path, first: date, last: date | None = None, *, at: date | None = None, kind: str = "focus"
) -> tuple[list[date], tuple[str, ...]]:
    """The months that a run asks for, and what it tells of others."""
    last = last or first
    now = datetime.combine(at or last + timedelta(days=1), time(5, 30))
    with open_house(company / "farthing.yml", f"run-{now:%Y%m%d}", clock=lambda: now) as house:
        deliveries: list[Delivery] = stage(house, kind, first, last)
        return [d.slice_date for d in deliveries], missed(house, kind, first, last, deliveries)


def test_a_month_whose_last_nights_failed_is_taken_by_a_later_night(company: Path) -> None:
    pulled(company, date(2026, 10, 30))
    (company / "bills" / "2026-10" / "bill.csv").write_text("cut", encoding="utf-8")
    billed(company, NOVEMBER, "5")
    for day in (1, 8, 15, 16, 19):
        assert pulled(company, date(2026, 11, day)) == ([OCTOBER, NOVEMBER], ())
    billed(company, OCTOBER, "4")
    assert not night(company / "farthing.yml", date(2026, 11, 20)).problems
    with published(company / "lake") as database:
        rows = database.execute("select billing_period, billed_cost from chargeback order by 1").fetchall()
    assert rows == [(OCTOBER, Decimal(4)), (NOVEMBER, Decimal(5))]
    assert pulled(company, date(2026, 11, 21)) == ([NOVEMBER], ())


def test_a_month_that_came_on_the_last_night_that_asks_for_it_is_not_asked_for_again(company: Path) -> None:
    pulled(company, date(2026, 10, 30))
    assert pulled(company, date(2026, 11, 14)) == ([OCTOBER, NOVEMBER], ())
    assert pulled(company, date(2026, 11, 16)) == ([OCTOBER, NOVEMBER], ())  # unchanged
    assert pulled(company, date(2026, 11, 17)) == ([NOVEMBER], ())


def test_a_month_that_never_came_while_others_did_is_taken_once_it_is_there(company: Path) -> None:
    (company / "bills" / "2026-10" / "bill.csv").write_text("cut", encoding="utf-8")
    billed(company, NOVEMBER, "5")
    for day in (1, 15, 16):
        pulled(company, date(2026, 11, day))
    billed(company, OCTOBER, "4")
    assert pulled(company, date(2026, 11, 18)) == ([OCTOBER, NOVEMBER], ())
    assert pulled(company, date(2026, 11, 19)) == ([NOVEMBER], ())


def test_months_before_the_first_that_was_asked_for_are_not_asked_for(company: Path) -> None:
    assert pulled(company, date(2026, 10, 31)) == ([OCTOBER], ())
    assert pulled(company, date(2026, 10, 31)) == ([OCTOBER], ())


def test_a_run_of_old_days_asks_for_its_own_months_alone(company: Path) -> None:
    pulled(company, date(2026, 10, 31))
    billed(company, date(2026, 5, 1), "1")
    assert pulled(company, date(2026, 5, 20), at=NOVEMBER) == ([date(2026, 5, 1)], ())
    assert pulled(company, date(2026, 5, 20), date(2026, 7, 20), at=NOVEMBER)[0] == [
        date(2026, 5, 1),
        date(2026, 6, 1),
        date(2026, 7, 1),
    ]


def test_a_month_between_others_that_never_came_is_asked_for(company: Path) -> None:
    billed(company, date(2026, 8, 1), "1")
    pulled(company, date(2026, 8, 31))
    assert pulled(company, date(2026, 10, 31))[0] == [date(2026, 8, 1), date(2026, 9, 1), OCTOBER]


def test_a_month_that_nights_ask_for_no_more_is_told_with_the_range_to_run(company: Path) -> None:
    pulled(company, date(2026, 10, 30))
    february, words = pulled(company, date(2027, 2, 20))
    assert february == [date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
    run = "to fetch them: farthing run"
    assert words == (
        f"bill: 2026-11 never arrived; {run} 2026-11-01..2026-11-30 --source bill",
        f"bill: 2026-10 may have changed since last taken in; {run} 2026-10-01..2026-10-31 --source bill",
    )
    billed(company, NOVEMBER, "5")
    pulled(company, OCTOBER, date(2026, 11, 30), at=date(2027, 2, 21))
    assert pulled(company, date(2027, 2, 21))[1] == ()


def test_a_day_that_arrived_before_its_last_night_is_told_with_the_range_to_run(tmp_path: Path) -> None:
    (tmp_path / "farthing.yml").write_text(DAILY_CONFIG, encoding="utf-8")
    (tmp_path / "key").write_text("k" * 40, encoding="utf-8")
    for day in days_between(date(2026, 10, 1), date(2026, 10, 12)):
        (tmp_path / "log" / f"{day}").mkdir(parents=True)
        (tmp_path / "log" / f"{day}" / "log.jsonl").write_text("", encoding="utf-8")
    assert pulled(tmp_path, date(2026, 10, 3), kind="litellm")[1] == ()  # what came before it was never asked for
    run = "to fetch them: farthing run"
    never = f"gateway: 3 earlier days never arrived; {run} 2026-10-04..2026-10-06 --source gateway"
    outdated = f"gateway: 2 earlier days may have changed since last taken in; {run} 2026-10-02..2026-10-03"
    told = pulled(tmp_path, date(2026, 10, 9), kind="litellm")[1]
    assert told == (never, f"{outdated} --source gateway")
