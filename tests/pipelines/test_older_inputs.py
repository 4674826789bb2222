"""A month at the edge of a night's reach: no part of it is left as older rules built it, and what lies before is told."""

from collections.abc import Generator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts import contract
from pipelines.house import House, open_house
from pipelines.night.build import build
from pipelines.night.commitment_advice import build_commitment_advice
from pipelines.night.stale import is_out_of_reach, reach, stale
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

MONTHS = [date(2026, month, 1) for month in (6, 7, 9)]
NIGHT = date(2026, 10, 20)  # a hundred days back is 12 July
OLDER = "0" * 32


def use(month: date) -> dict[str, Any]:
    hour = {
        "charge_period_start": datetime(month.year, month.month, 2),
        "charge_period_end": datetime(month.year, month.month, 2, 1),
    }
    bought = {
        "pricing_category": "Standard",
        "pricing_unit": "Hours",
        "pricing_quantity": "1",
        "consumed_quantity": "1",
    }
    return (
        hour
        | bought
        | {"x_slice_date": month, "charge_category": "Usage", "x_instance_type": "p5", "billing_currency": "USD"}
    )


@pytest.fixture
def house(tmp_path: Path) -> Generator[House]:
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 10, 21, 5)) as opened:
        for month in MONTHS:
            opened.lake.replace_slice("charges", month, "bill", filled("charges", [use(month)]), f"bill {month}")
        build(opened, contract("machine_use"), MONTHS[0], NIGHT)
        yield opened


def stand_as_before(house: House, month: date) -> None:
    """As if other rules had built the month."""
    rows = house.lake.read("machine_use", month, date(month.year, month.month, 2))
    house.lake.replace_slice("machine_use", month, "farthing", rows, OLDER)


def test_a_month_is_in_reach_as_a_whole_or_not_at_all() -> None:
    assert (reach(NIGHT), reach(date(2026, 10, 8)), reach(date(2026, 10, 9))) == (
        date(2026, 7, 1),
        date(2026, 6, 1),
        date(2026, 7, 1),
    )
    assert [is_out_of_reach(month, NIGHT) for month in MONTHS] == [True, False, False]


def test_days_of_a_month_in_reach_are_built_anew_before_the_hundredth_day_too(house: House) -> None:
    """Days 1, 11 and 12 of July under older rules: all three, and the last of June not."""
    days = [date(2026, 6, 30), *(date(2026, 7, day) for day in (1, 11, 12))]
    for day in days:
        for name in ("priced_requests", "usage_daily"):
            house.lake.replace_slice(name, day, "farthing", filled(name, []), OLDER)
    slices = {name: house.lake.slices(name) for name in ("usage_daily",)}
    targets = stale(contract("usage_daily"), slices, {}, NIGHT, NIGHT)
    assert [target.slice_date for target in targets] == days[1:]


def test_what_older_rules_built_of_months_before_is_told_with_the_run_that_builds_it(house: House) -> None:
    stand_as_before(house, MONTHS[0])
    (told,) = build_commitment_advice(house, NIGHT, NIGHT).problems
    assert told == (
        "commitment_advice: months from 2026-07 on are built from machine_use of months before, too, which from "
        "2026-06-01 on stand as they were built before rules or their own inputs changed, because a night rebuilds none "
        "before 2026-07-01: `farthing run 2026-06-01..2026-06-30` builds them anew"
    )
    # once told, the months stand: until something changes, nothing is built and nothing told
    assert build_commitment_advice(house, NIGHT, NIGHT).problems == ()
    # and that run does build it
    assert build(house, contract("machine_use"), MONTHS[0], date(2026, 6, 30)).slices == (MONTHS[0],)


def test_nothing_is_told_where_all_that_is_read_is_as_today_s_rules_build_it(house: House) -> None:
    assert build_commitment_advice(house, NIGHT, NIGHT).problems == ()
