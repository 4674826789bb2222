"""Commitments by the hour, against sums done by hand and against plain integers."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
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


units = st.integers(min_value=-(10**20), max_value=10**20).map(lambda n: str(Decimal(n).scaleb(-12)))
stretches = st.tuples(st.integers(0, 40), st.integers(1, 40))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(stretches, units, units, st.none() | units), min_size=1, max_size=12))
def test_whatever_the_lines_every_hour_adds_up_and_so_does_every_commitment(lines: list) -> None:
    given_lines = [
        line(first, hours, used=used, unused=unused, purchased=purchased)
        for (first, hours), used, unused, purchased in lines
    ]
    found = hours_of(*given_lines)
    assert all(row[1] == row[2] + row[3] + row[4] for row in found)
    assert sum(row[2] for row in found) == sum(Decimal(used) for _, used, _, _ in lines)
    assert sum(row[3] for row in found) == sum(Decimal(unused) for _, _, unused, _ in lines)
    if any(purchased is not None for *_, purchased in lines):
        assert sum(row[1] for row in found) == sum(Decimal(p) for *_, p in lines if p is not None)
