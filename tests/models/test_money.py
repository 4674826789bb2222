"""Money as whole pico-units: exact both ways, and refused where it would not be."""

from decimal import Context, Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import (
    MAX_UNITS,
    MONEY,
    SCALE,
    amount_of,
    check_range,
    money,
    money_of,
    nearest_double,
    to_scaled,
    units_of,
)

UNITS = st.integers(-MAX_UNITS, MAX_UNITS)
EXACT = Context(prec=38)  # the usual context would round to 28 digits


def units(amount: Decimal) -> int:
    return to_scaled(amount, digits=38, scale=SCALE)


@given(UNITS)
def test_an_amount_becomes_the_units_that_it_was_made_of(whole):
    assert units(Decimal(whole).scaleb(-SCALE, EXACT)) == whole


@given(st.lists(UNITS, max_size=5))
def test_columns_convert_as_numbers_do(whole):
    amounts = [Decimal(unit).scaleb(-SCALE, EXACT) for unit in whole]
    frame = pl.DataFrame({"cost": amounts}, schema={"cost": MONEY})
    converted = frame.select(units_of("cost"))
    assert converted["cost"].to_list() == whole
    assert converted.select(money_of("cost")).equals(frame)


@pytest.mark.parametrize(
    ("amount", "whole"),
    [("0", 0), ("1", 10**12), ("-0.000000000001", -1), ("1.50000000000000", 1_500_000_000_000), ("1E+3", 10**15)],
)
def test_an_amount_is_counted_in_units(amount, whole):
    assert units(Decimal(amount)) == whole


@pytest.mark.parametrize(
    ("amount", "error", "message"),
    [
        ("0.0000000000001", ValueError, "more than 12 decimal places"),
        ("NaN", ValueError, "not an amount"),
        ("Infinity", ValueError, "not an amount"),
        ("1E26", OverflowError, r"does not fit DECIMAL\(38,12\)"),
    ],
)
def test_what_the_ledger_cannot_hold_exactly_is_refused(amount, error, message):
    with pytest.raises(error, match=message):
        units(Decimal(amount))


def test_another_scale_is_exact_too():
    assert to_scaled(Decimal("2.5"), digits=18, scale=6) == 2_500_000
    with pytest.raises(ValueError, match="more than 6 decimal places"):
        to_scaled(Decimal("2.0000005"), digits=18, scale=6)


def test_a_column_whose_sum_could_wrap_is_refused_by_name():
    fits = pl.DataFrame({"cost": [MAX_UNITS, 0, -0]}, schema={"cost": pl.Int128})
    check_range(fits, "cost")
    check_range(fits.clear(), "cost")
    with pytest.raises(OverflowError, match="cost: the amounts sum to more"):
        check_range(pl.DataFrame({"cost": [MAX_UNITS, -1]}, schema={"cost": pl.Int128}), "cost")


@given(UNITS)
def test_units_become_the_amount_that_they_are_of(whole):
    assert units(amount_of(whole)) == whole


@pytest.mark.parametrize(
    ("amount", "whole"),
    [
        (Fraction(1, 3), 333_333_333_333),
        (Fraction(-2, 3), -666_666_666_667),
        (Fraction(5, 2 * 10**12), 2),  # half of a unit goes to the even one
        (Fraction(7, 2 * 10**12), 4),
        (Fraction(10**26 * 3 + 1, 3), 10**38 + 333_333_333_333),  # 39 digits: arithmetic of 28 would not do
    ],
)
def test_an_exact_amount_is_rounded_once_to_the_unit_half_even(amount, whole):
    assert money(amount).as_tuple().digits == tuple(map(int, str(abs(whole))))
    assert (money(amount) < 0) == (whole < 0)


@pytest.mark.parametrize(
    ("exact", "double"),
    [
        (Decimal("0.1"), 0.1),
        (Fraction(1, 3), 1 / 3),
        (Decimal("9007199254740993.0000000001"), 9007199254740994.0),  # 2**53 + 1 and a little: up, not to even
        (Fraction(9007199254740993), 9007199254740992.0),  # halfway: to even
        (Decimal("-2.5"), -2.5),
    ],
)
def test_a_double_is_the_nearest_to_the_exact_figure(exact, double):
    assert nearest_double(exact) == double
