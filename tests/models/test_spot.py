"""Means of spot prices: every price counts for as long as it held."""

import statistics
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.frames import schema_of
from models.spot import mean_spot_prices

REAL = Path(__file__).resolve().parents[2] / "../shared/data/gpu_prices/aws_spot_price_history_us_west_2.parquet"
DAY = datetime(2026, 9, 3)
HOUR = timedelta(hours=1)


def changes(*found: tuple[datetime, str] | tuple[datetime, str, str]) -> pl.DataFrame:
    """Changes of price of one machine: instant, price, and the zone where it is another than the usual one."""
    rows = [
        {
            "provider_name": "AWS",
            "region_id": "us-east-1",
            "availability_zone": zone[0] if zone else "us-east-1b",
            "availability_zone_id": None,
            "instance_type": "p5.48xlarge",
            "product_description": "Linux/UNIX",
            "changed_at": at,
            "unit_price": Decimal(price),
            "currency": "USD",
            "x_extra": None,
            "x_source": "spot",
            "x_slice_date": at.date(),
            "x_page": "0" * 16,
            "x_row": number,
        }
        for number, (at, price, *zone) in enumerate(found, start=1)
    ]
    return pl.DataFrame(rows, schema=schema_of("spot_prices"))


def means(
    frame: pl.DataFrame, start: datetime = DAY, end: datetime = DAY + 24 * HOUR, every: Literal["1d", "1h"] = "1d"
) -> list[tuple[Decimal | None, Decimal]]:
    found = mean_spot_prices(frame, start, end, every)
    return [(row["mean_unit_price"], row["known_seconds"]) for row in found.iter_rows(named=True)]


def test_a_price_counts_for_as_long_as_it_held() -> None:
    moved = changes((DAY - HOUR, "2"), (DAY + 18 * HOUR, "6"))
    assert means(moved) == [(Decimal(3), Decimal(86400))]  # 18 hours of 2 and 6 hours of 6, not (2 + 6) / 2


def test_many_changes_in_a_minute_do_not_outweigh_the_day() -> None:
    flicker = [(DAY + 12 * HOUR + timedelta(seconds=second), "100") for second in range(0, 60, 2)]
    calm = [(DAY + 12 * HOUR + timedelta(seconds=second), "1") for second in range(1, 60, 2)]
    ((mean, _),) = means(changes((DAY, "1"), *flicker, *calm))
    assert mean == Decimal("1.034375")  # 30 seconds of 100 in 86,400 of 1


def test_the_price_in_force_before_the_day_is_carried_into_it() -> None:
    assert means(changes((DAY - timedelta(days=40), "7.25"))) == [(Decimal("7.25"), Decimal(86400))]


def test_before_the_first_change_the_price_is_unknown_and_not_zero() -> None:
    late = changes((DAY + 24 * HOUR + 6 * HOUR, "4"))
    assert means(late, end=DAY + 48 * HOUR) == [(None, Decimal(0)), (Decimal(4), Decimal(64800))]


def test_a_change_at_midnight_belongs_to_the_day_that_begins() -> None:
    frame = changes((DAY, "1"), (DAY + 24 * HOUR, "5"))
    assert means(frame, end=DAY + 48 * HOUR) == [(Decimal(1), Decimal(86400)), (Decimal(5), Decimal(86400))]


def test_what_comes_after_the_range_is_not_looked_at() -> None:
    assert means(changes((DAY, "1"), (DAY + 24 * HOUR, "5"))) == [(Decimal(1), Decimal(86400))]


def test_hours_have_their_own_means() -> None:
    frame = changes((DAY + HOUR / 2, "1"), (DAY + 2.25 * HOUR, "3"))
    found = means(frame, end=DAY + 4 * HOUR, every="1h")
    assert found == [
        (Decimal(1), Decimal(1800)),
        (Decimal(1), Decimal(3600)),
        (Decimal("2.5"), Decimal(3600)),
        (Decimal(3), Decimal(3600)),
    ]


def test_a_change_that_slices_repeat_is_one_and_order_does_not_matter() -> None:
    frame = changes((DAY + 18 * HOUR, "6"), (DAY - HOUR, "2"), (DAY - HOUR, "2"))
    assert means(frame) == means(frame.reverse()) == [(Decimal(3), Decimal(86400))]


def test_of_two_prices_of_the_same_instant_the_higher_holds() -> None:
    frame = changes((DAY, "1"), (DAY, "2"))
    assert means(frame) == means(frame.reverse()) == [(Decimal(2), Decimal(86400))]


def test_zones_have_prices_of_their_own() -> None:
    frame = changes((DAY, "1"), (DAY, "9", "us-east-1c"))
    assert means(frame) == [(Decimal(1), Decimal(86400)), (Decimal(9), Decimal(86400))]


def test_the_mean_is_rounded_once_and_half_to_even() -> None:
    third = changes((DAY, "1"), (DAY + 8 * HOUR, "2"))
    assert means(third)[0][0] == Decimal("1.666666666667")
    for low, expected in (("0.000000000001", "0.000000000002"), ("0.000000000002", "0.000000000002")):
        high = str(Decimal(low) + Decimal("0.000000000001"))  # the mean lies exactly between the two
        assert means(changes((DAY, low), (DAY + 12 * HOUR, high)))[0][0] == Decimal(expected)


def test_nothing_known_is_no_row() -> None:
    assert means(changes()) == []


def test_a_range_that_is_no_whole_number_of_periods_is_refused() -> None:
    for start, end in ((DAY, DAY), (DAY + HOUR, DAY + 25 * HOUR), (DAY, DAY + 25 * HOUR)):
        with pytest.raises(ValueError, match="no whole number of periods"):
            mean_spot_prices(changes((DAY, "1")), start, end)


def test_a_price_beyond_any_is_refused_and_does_not_wrap() -> None:
    with pytest.raises(OverflowError, match="at most"):
        mean_spot_prices(changes((DAY, "1" + "0" * 20)), DAY, DAY + 24 * HOUR)


def expected_mean(events: list[tuple[datetime, Decimal]], start: datetime, end: datetime) -> tuple[Any, Decimal]:
    """The mean of one period, step by step in fractions: the oracle."""
    total, known = Fraction(0), 0
    ordered = sorted(events)
    for place, (at, price) in enumerate(ordered):
        until = ordered[place + 1][0] if place + 1 < len(ordered) else datetime.max
        held = min(until, end) - max(at, start)
        if held > timedelta(0):
            micros = held // timedelta(microseconds=1)
            total, known = total + Fraction(price) * micros, known + micros
    if not known:
        return None, Decimal(0)
    exact = total / known * 10**12
    return Decimal(round(exact)).scaleb(-12), Decimal(known).scaleb(-6)  # round() of a Fraction is half-even


moments = st.integers(-172_800, 172_800).map(lambda seconds: DAY + timedelta(seconds=seconds))
prices = st.integers(0, 10**15).map(lambda pico: Decimal(pico).scaleb(-12))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(moments, prices, min_size=1, max_size=20))
def test_any_changes_give_the_means_of_their_steps(found: dict[datetime, Decimal]) -> None:
    frame = changes(*((at, str(price)) for at, price in found.items()))
    lengths: dict[Literal["1h", "1d"], timedelta] = {"1h": HOUR, "1d": 24 * HOUR}
    for every, length in lengths.items():
        starts = [DAY + n * length for n in range(int(48 * HOUR / length))]
        wanted = [expected_mean(list(found.items()), start, start + length) for start in starts]
        assert means(frame, end=DAY + 48 * HOUR, every=every) == wanted


@pytest.fixture(scope="module")
def real() -> list[tuple[str, str, datetime, Decimal]]:
    """Zone, machine, instant and price of three months of real changes, read without polars."""
    if not REAL.exists():
        pytest.skip("the three months of real spot prices are not here")
    wanted = "az, instance_type, epoch_us(timestamp), spot_price::varchar"
    with duckdb.connect() as engine:
        rows = engine.sql(f"select {wanted} from '{REAL}'").fetchall()
    epoch = datetime(1970, 1, 1)
    return [
        (zone, machine, epoch + timedelta(microseconds=micros), Decimal(price)) for zone, machine, micros, price in rows
    ]


def frame_of_real(found: list[tuple[str, str, datetime, Decimal]]) -> pl.DataFrame:
    one = changes(*((at, str(price), zone) for zone, _, at, price in found))
    return one.with_columns(instance_type=pl.Series([machine for _, machine, _, _ in found]))


def test_three_months_of_real_prices_have_the_means_of_their_steps(
    real: list[tuple[str, str, datetime, Decimal]],
) -> None:
    start, end = datetime(2019, 12, 22), datetime(2020, 3, 24)
    events: dict[tuple[str, str], list[tuple[datetime, Decimal]]] = {}
    for zone, machine, at, price in real:
        events.setdefault((zone, machine), []).append((at, price))
    found = mean_spot_prices(frame_of_real(real), start, end)
    assert found.height == len(events) * (end - start).days
    for row in found.iter_rows(named=True):
        own = events[row["availability_zone"], row["instance_type"]]
        day = row["period_start"]
        wanted = expected_mean(own, day, day + timedelta(days=1))
        assert (row["mean_unit_price"], row["known_seconds"]) == wanted


def test_the_mean_of_the_changes_is_another_number_than_the_mean_over_time(
    real: list[tuple[str, str, datetime, Decimal]],
) -> None:
    start, end = datetime(2020, 1, 1), datetime(2020, 3, 23)
    found = mean_spot_prices(frame_of_real(real), start, end).drop_nulls("mean_unit_price")
    differing = 0
    for row in found.iter_rows(named=True):
        within = [
            price
            for zone, machine, at, price in real
            if (zone, machine) == (row["availability_zone"], row["instance_type"])
            and row["period_start"] <= at < row["period_start"] + timedelta(days=1)
        ]
        differing += bool(within) and abs(statistics.mean(within) - row["mean_unit_price"]) > Decimal("0.0001")
    assert differing > 100
