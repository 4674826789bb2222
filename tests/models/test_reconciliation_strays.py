"""A few cents too much or too little on a line: they hide neither its discount nor its stale price. Worked out by hand.

A model has 3 dollars a million for input; its days of 1,000,000 tokens are at 0.93, 2.79 dollars.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import DAY, NOON, FourSides, by_cause


def days_of_input(sides: FourSides, *costs: str, model: str = "m") -> None:
    """A day of 1,000,000 tokens for each cost."""
    for number, cost in enumerate(costs):
        sides.billed(DAY + timedelta(days=number), "input_uncached", 1_000_000, cost, model=model)
        sides.logged(NOON + timedelta(days=number), model, input_uncached=1_000_000)


def on_last_day(sides: FourSides, number: int) -> dict[str, Decimal]:
    return by_cause(sides.reconciled().causes.filter(usage_date=DAY + timedelta(days=number)))


@pytest.mark.parametrize("stray", ["0.01", "-0.01", "0.10", "-0.10"])
def test_a_few_cents_beside_a_discount_are_unexplained_and_no_more(sides: FourSides, stray: str) -> None:
    days_of_input(sides, "2.79", "2.79", str(Decimal("2.79") + Decimal(stray)))
    assert on_last_day(sides, 2) == {"discount": Decimal("-0.21"), "unexplained": Decimal(stray)}


@pytest.mark.parametrize("cost", ["2.90", "2.68"])
def test_a_line_that_is_not_near_the_factor_is_at_another_price(sides: FourSides, cost: str) -> None:
    """11 cents beside a discount of 21: more than half of it, whichever way."""
    days_of_input(sides, "2.79", "2.79", cost)
    assert on_last_day(sides, 2) == {"unexplained": Decimal(cost) - 3}


def test_cents_beside_a_factor_of_one_are_no_discount_of_another_model_s(sides: FourSides) -> None:
    """The other model is at 0.93, this one at the price of the book: 20 cents less are nobody's discount."""
    sides.price("other", input_uncached="30")
    days_of_input(sides, "27.9", "27.9", "27.9", model="other")
    days_of_input(sides, "3", "3", "2.80")
    assert on_last_day(sides, 2) == {"discount": Decimal("-2.1"), "unexplained": Decimal("-0.2")}


def test_a_model_whose_only_line_is_off_has_the_account_s_discount(sides: FourSides) -> None:
    sides.price("other", input_uncached="30")
    days_of_input(sides, "27.9", "27.9", "27.9", model="other")
    days_of_input(sides, "2.80")
    assert on_last_day(sides, 0) == {"discount": Decimal("-2.31"), "unexplained": Decimal("0.01")}


def test_cents_beside_a_stale_price_are_unexplained_and_no_more(sides: FourSides) -> None:
    """3.50 dollars until the month began, billed still: at 0.93 it is 3.255, of which 0.50 are stale, -0.245 discount."""
    sides.prices.clear()
    sides.price(input_uncached="3.5", output_text="15", until=NOON.replace(day=1))
    sides.price(input_uncached="3", output_text="15", since=NOON.replace(day=1))
    for number in range(3):
        sides.billed(DAY + timedelta(days=number), "output_text", 1_000_000, "13.95")
        sides.logged(NOON + timedelta(days=number), output_text=1_000_000)
    days_of_input(sides, "3.255", "3.255", "3.265")
    stale, output = Decimal("0.5"), Decimal("-1.05")
    assert on_last_day(sides, 2) == {
        "price_staleness": stale, "discount": Decimal("-0.245") + output, "unexplained": Decimal("0.01")
    }  # fmt: skip


def test_two_lines_that_are_off_tell_no_factor_of_their_own(sides: FourSides) -> None:
    """In cents a decimal of three digits gives any one line: 2.85 of 3 is 0.95, and 2.72 of 3 is 0.907."""
    days_of_input(sides, "2.79", "2.79", "2.79", "2.85", "2.72")
    found = by_cause(sides.reconciled().causes)
    assert found == {"discount": Decimal("-1.05"), "unexplained": Decimal("-0.01")}


def test_a_class_that_is_at_a_price_of_its_own_throughout_keeps_it(sides: FourSides) -> None:
    """Output at 0.91 every day, 13.65 of 15: no 0.93 with something beside it."""
    days_of_input(sides, "2.79", "2.79", "2.79")
    for number in range(3):
        sides.billed(DAY + timedelta(days=number), "output_text", 1_000_000, "13.65")
        sides.logged(NOON + timedelta(days=number), output_text=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal("-4.68")}


def test_a_line_that_stands_at_either_factor_is_at_the_model_s_own(sides: FourSides) -> None:
    """40,000 tokens at 0.10 dollars a million, billed 0.00: within half a cent at 1 and at 0.93. The model is at 1."""
    sides.prices.clear()
    sides.price(input_uncached="3", cache_read="0.1")
    sides.price("other", input_uncached="30")
    days_of_input(sides, "27.9", "27.9", "27.9", model="other")
    days_of_input(sides, "3", "3", "3")
    sides.billed(DAY, "cache_read", 40_000, "0.00")
    sides.logged(NOON, cache_read=40_000)
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal("-6.3"), "rounding": Decimal("-0.004")}
