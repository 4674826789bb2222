"""Commitments by the hour, against sums done by hand and against plain integers."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.commitment_hours import commitment_hours
from models.frames import schema_of

START = datetime(2026, 10, 1)


def line(
    first: int,
    hours: int,
    *,
    used: str = "0",
    unused: str = "0",
    purchased: str | None = None,
    commitment: str = "ri",
) -> dict[str, object]:
    return {
        "billing_period": date(2026, 10, 1),
        "x_source": "aws",
        "provider_name": "AWS",
        "billing_account_id": "1",
        "billing_currency": "USD",
        "commitment_discount_id": commitment,
        "period_start": START + timedelta(hours=first),
        "period_end": START + timedelta(hours=first + hours),
        "billed_purchase_cost": Decimal(0),
        "purchased_cost": None if purchased is None else Decimal(purchased),
        "used_cost": Decimal(used),
        "unused_cost": Decimal(unused),
    }


def hours_of(*lines: dict[str, object]) -> list[tuple[int, Decimal, Decimal, Decimal, Decimal, bool]]:
    frame = commitment_hours(pl.DataFrame(list(lines), schema=schema_of("commitment_lines")))
    return [
        (
            int((row["hour_start"] - START) / timedelta(hours=1)),
            row["purchased_cost"],
            row["used_cost"],
            row["unused_cost"],
            row["unexplained_cost"],
            row["is_stated"],
        )
        for row in frame.iter_rows(named=True)
    ]


def test_a_savings_plan_s_hour_is_what_it_covered_and_what_it_did_not() -> None:
    found = hours_of(line(0, 1, used="1.25"), line(0, 1, used="0.25"), line(0, 1, purchased="2", unused="0.5"))
    assert found == [(0, Decimal(2), Decimal("1.5"), Decimal("0.5"), Decimal(0), True)]


def test_a_reservation_s_month_is_spread_over_its_hours_to_the_last_unit() -> None:
    found = hours_of(
        line(0, 1, used="0.3"), line(1, 1, used="0.1"), line(0, 3, purchased="1.000000000001", unused="0.600000000001")
    )
    assert [row[:4] for row in found] == [
        (0, Decimal("0.333333333334"), Decimal("0.3"), Decimal("0.033333333334")),
        (1, Decimal("0.333333333334"), Decimal("0.1"), Decimal("0.233333333334")),
        (2, Decimal("0.333333333333"), Decimal(0), Decimal("0.333333333333")),
    ]
    assert {row[4] for row in found} == {Decimal(0)}


def test_what_a_bill_s_own_lines_leave_open_is_unexplained_and_not_unused() -> None:
    assert hours_of(line(0, 1, used="1.5"), line(0, 1, purchased="2", unused="0.4")) == [
        (0, Decimal(2), Decimal("1.5"), Decimal("0.4"), Decimal("0.1"), True)
    ]


def test_a_bill_that_does_not_state_the_purchase_is_taken_at_its_word() -> None:
    assert hours_of(line(5, 1, used="7", unused="1")) == [(5, Decimal(8), Decimal(7), Decimal(1), Decimal(0), False)]


def test_commitments_do_not_mix() -> None:
    found = hours_of(line(0, 1, used="1", commitment="a"), line(0, 1, purchased="5", unused="5", commitment="b"))
    assert [row[1:] for row in found] == [
        (Decimal(1), Decimal(1), Decimal(0), Decimal(0), False),
        (Decimal(5), Decimal(0), Decimal(5), Decimal(0), True),
    ]


def test_a_line_that_says_it_covers_years_lies_in_the_hours_of_its_billing_period() -> None:
    """October and a day before and after it have 33 days; the line begins with the period, so that 32 are left."""
    found = hours_of(*[line(0, 73 * 365 * 24, used="768", unused="7.68", purchased="775.68") for _ in range(3)])
    assert [row[0] for row in found] == list(range(32 * 24))
    assert {row[1:] for row in found} == {(Decimal("3.03"), Decimal(3), Decimal("0.03"), Decimal(0), True)}


def test_a_line_that_begins_before_the_period_lies_in_it_and_in_the_day_before_it() -> None:
    found = hours_of(line(-1000, 1001, used="2.5"))
    assert [row[:3] for row in found] == [(hour, Decimal("0.1"), Decimal("0.1")) for hour in range(-24, 1)]


@pytest.mark.parametrize(("first", "hours", "hour"), [(-800, 100, -701), (900, 100, 900), (-30, 1, -30)])
def test_a_line_of_another_month_lies_in_its_own_hour_next_to_the_period(first: int, hours: int, hour: int) -> None:
    assert hours_of(line(first, hours, used="3", unused="-1", purchased="2")) == [
        (hour, Decimal(2), Decimal(3), Decimal(-1), Decimal(0), True)
    ]


units = st.integers(min_value=-(10**20), max_value=10**20).map(lambda n: str(Decimal(n).scaleb(-12)))
stretches = st.tuples(st.integers(0, 40), st.integers(1, 40)) | st.tuples(
    st.integers(-20_000, 20_000), st.integers(1, 40_000)
)


stated = st.tuples(st.sampled_from("ab"), stretches, units, units, st.none() | units)


@settings(max_examples=150, deadline=None)
@given(st.lists(stated, min_size=1, max_size=12))
def test_whatever_the_lines_every_commitment_s_hours_add_up_to_what_its_lines_state(lines: list) -> None:
    given_lines = [
        line(first, hours, used=used, unused=unused, purchased=purchased, commitment=commitment)
        for commitment, (first, hours), used, unused, purchased in lines
    ]
    frame = commitment_hours(pl.DataFrame(given_lines, schema=schema_of("commitment_lines")))
    for commitment in {name for name, *_ in lines}:
        own = [rest for name, *rest in lines if name == commitment]
        found = frame.filter(pl.col("commitment_discount_id") == commitment)
        bought = [Decimal(purchased) for *_, purchased in own if purchased is not None]
        used, unused = (sum((Decimal(one[at]) for one in own), Decimal(0)) for at in (1, 2))
        expected = (sum(bought, Decimal(0)) if bought else used + unused, used, unused)
        assert tuple(found[f"{name}_cost"].sum() for name in ("purchased", "used", "unused")) == expected
        assert found["unexplained_cost"].sum() == expected[0] - used - unused
        hours = {int((at - START) / timedelta(hours=1)) for at in found["hour_start"]}
        assert hours <= {hour for (first, count), *_ in own for hour in range(first, first + count)}
        assert len(hours - set(range(-24, 32 * 24))) <= len(own)
    apart = pl.col("purchased_cost") - pl.col("used_cost") - pl.col("unused_cost") - pl.col("unexplained_cost")
    assert frame.filter(apart != 0).is_empty()
