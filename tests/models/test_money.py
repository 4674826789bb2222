"""Money as whole pico-units: exact both ways, and refused where it would not be."""

from decimal import Context, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import MAX_UNITS, MONEY, SCALE, check_range, money_of, to_scaled, units_of

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
