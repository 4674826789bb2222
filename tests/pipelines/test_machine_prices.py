"""Prices of machines by day: a day's spot mean is made from its own slice, and a later day touches no earlier one."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts import contract
from pipelines.house import House, open_house
from pipelines.night.build import build
from pipelines.night.spot_means import build_spot_means
from tests.pipelines.small_company import DAY, write_company
from tests.sql.golden import filled

AT = datetime(2026, 11, 3, 5, 30)
BEFORE = DAY - timedelta(days=1)


def change(day: date, at: str, price: str) -> dict[str, str]:
    machine = {"provider_name": "AWS", "region_id": "us-east-1", "instance_type": "p5.48xlarge", "currency": "USD"}
    return {**machine, "x_slice_date": str(day), "changed_at": at, "unit_price": price}


def deliver(house: House, day: date, *changes: dict[str, str]) -> None:
    house.lake.replace_slice("spot_prices", day, "spot", filled("spot_prices", list(changes)), repr(changes))


def prices(house: House) -> dict[date, Decimal | None]:
    rows = house.lake.read("machine_prices").to_pylist()
    return {row["usage_date"]: row["price_per_hour"] for row in rows}


def run(house: House, first: date, last: date) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """The days that were rebuilt of the means and of the mart."""
    return build_spot_means(house, first, last).slices, build(house, contract("machine_prices"), first, last).slices


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_company(tmp_path)


def test_each_day_is_the_mean_of_its_own_slice_and_only_what_changed_is_built_again(folder: Path) -> None:
    with open_house(folder, "prices", clock=lambda: AT) as house:
        deliver(
            house,
            BEFORE,
            change(BEFORE, "2026-10-29 20:00:00", "20"),  # in force when the day began
            change(BEFORE, "2026-10-30 18:00:00", "24"),
        )
        assert run(house, BEFORE, BEFORE) == ((BEFORE,), (BEFORE,))
        assert prices(house) == {BEFORE: Decimal(21)}  # (18 h x 20 + 6 h x 24) / 24 h

        deliver(house, DAY, change(DAY, "2026-10-30 18:00:00", "24"))
        assert run(house, DAY, DAY) == ((DAY,), (DAY,))
        assert prices(house) == {BEFORE: Decimal(21), DAY: Decimal(24)}

        assert run(house, BEFORE, DAY) == ((), ())
        deliver(house, BEFORE, change(BEFORE, "2026-10-29 20:00:00", "20"))
        assert run(house, DAY, DAY) == ((BEFORE,), (BEFORE,))
        assert prices(house) == {BEFORE: Decimal(20), DAY: Decimal(24)}
