"""Rounding that foots, and figures as people read them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.breakdown import split
from reports.money import apportion, exact_sum, format_money, format_ratio, round_to

CENT = Decimal("0.01")
amounts = st.lists(st.decimals("-1e9", "1e9", places=12, allow_nan=False), min_size=1, max_size=12)


@given(amounts)
def test_rounded_lines_add_up_to_the_rounded_total_and_none_moves_by_a_cent(exact: list[Decimal]) -> None:
    total = round_to(exact_sum(exact), CENT)
    printed = apportion(exact, total, CENT)
    assert exact_sum(printed) == total
    assert all(abs(p - e) < CENT for p, e in zip(printed, exact, strict=True))


def test_the_largest_remainder_gets_the_missing_cent() -> None:
    thirds = [Decimal("0.333"), Decimal("0.333"), Decimal("0.334")]
    assert apportion(thirds, Decimal("1.00"), CENT) == [Decimal("0.33"), Decimal("0.33"), Decimal("0.34")]


@pytest.mark.parametrize(
    ("amount", "currency", "printed"),
    [
        ("1234.505", "USD", "$1,234.51"),
        ("-0.004", "USD", "$0.00"),
        ("-3", "USD", "−$3.00"),
        ("1200.4", "JPY", "JPY\u00a01,200"),
        ("1.2345", "KWD", "KWD\u00a01.235"),
    ],
)
def test_money_is_printed_in_the_currency_s_own_decimals(amount: str, currency: str, printed: str) -> None:
    assert format_money(Decimal(amount), currency) == printed


def test_a_signed_ratio_of_zero_has_no_sign() -> None:
    assert format_ratio(Decimal("0.0004"), signed=True) == "0.0\u202f%"
    assert format_ratio(Decimal("-0.125"), signed=True) == "−12.5\u202f%"


def test_what_does_not_fit_becomes_one_line_that_foots_and_credits_rank_by_their_size() -> None:
    sums = [(f"line {n}", "", Decimal(n)) for n in range(1, 6)] + [("credit", "", Decimal(-9))]
    lines = split(sums, Decimal("6.00"), "USD", limit=2).lines
    assert [(x.label, x.amount) for x in lines] == [
        ("credit", Decimal("-9.00")),
        ("line 5", Decimal("5.00")),
        ("4 others", Decimal("10.00")),
    ]
    assert {line.share for line in lines} == {None}  # parts of a total mean nothing beside a credit
