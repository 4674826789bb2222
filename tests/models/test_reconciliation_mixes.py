"""A class that is billed at two prices of one day, by a bill that does not say which: amounts worked out by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import DAY, NOON, FourSides, by_cause, in_millionths

LONG = 200_001


@pytest.fixture
def banded(sides: FourSides) -> FourSides:
    """A model with two context lengths, beside a line that shows to which digit the bill is exact."""
    sides.price("exact", input_uncached="0.001")
    sides.billed(DAY, "input_uncached", 1, "0.000000001", model="exact")
    sides.counted(DAY, "exact", input_uncached=1)
    sides.logged(NOON, "exact", input_uncached=1)
    sides.price("banded", input_uncached="3", output_text="15")
    sides.price("banded", input_uncached="6", output_text="22.5", input_from=LONG)
    return sides


def test_fewer_calls_in_a_long_context_than_the_log_has_are_a_difference_of_tier(banded: FourSides) -> None:
    """The log has 300,003 of 1,000,003 tokens at 6 dollars; the bill 100,001: 200,002 at 3 less, which is 0.600006."""
    banded.billed(DAY, "input_uncached", 1_000_003, "3.300012", model="banded")
    banded.counted(DAY, "banded", input_uncached=1_000_003)
    banded.logged(NOON, "banded", input_uncached=700_000)
    banded.logged(NOON, "banded", input_from=LONG, input_uncached=300_003)
    found = banded.reconciled().causes
    assert in_millionths(banded.reconciled()) == {"tier": Decimal("-0.600006")}
    (evidence,) = found.filter(cause="tier")["evidence"]
    assert evidence == (
        "900,002 tokens in default from 0 tokens and 100,001 in default from 200,001 tokens of 2026-01-01 to 9999-12-31"
    )


def test_two_prices_of_one_day_are_none_of_another_day(banded: FourSides) -> None:
    """Beside such a day: 600,000 at 3 and 300,000 at 6 are 3.60, and 0.50 of 4.10 are of 100,000 without a price."""
    banded.billed(DAY - timedelta(days=1), "input_uncached", 1_000_003, "3.300012", model="banded")
    banded.counted(DAY - timedelta(days=1), "banded", input_uncached=1_000_003)
    banded.logged(NOON - timedelta(days=1), "banded", input_uncached=700_000)
    banded.logged(NOON - timedelta(days=1), "banded", input_from=LONG, input_uncached=300_003)
    banded.billed(DAY, "input_uncached", 1_000_000, "4.1", model="banded")
    banded.counted(DAY, "banded", input_uncached=1_000_000)
    banded.logged(NOON, "banded", input_uncached=600_000)
    banded.logged(NOON, "banded", input_from=LONG, input_uncached=300_000)
    banded.logged(NOON, "banded", tier="priority", input_uncached=100_000)
    assert in_millionths(banded.reconciled()) == {"tier": Decimal("-0.600006"), "unpriced": Decimal("0.5")}


def test_a_long_context_that_the_log_does_not_know_is_told_by_all_classes(banded: FourSides) -> None:
    """Of 1,000,003 in and 50,021 out the bill has 250,001 and 10,007 in the long context: 0.750003 and 0.0750525."""
    banded.billed(DAY, "input_uncached", 1_000_003, "3.750012", model="banded")
    banded.billed(DAY, "output_text", 50_021, "0.8253675", model="banded")
    banded.counted(DAY, "banded", input_uncached=1_000_003, output_text=50_021)
    banded.logged(NOON, "banded", input_uncached=1_000_003, output_text=50_021)
    assert by_cause(banded.reconciled().causes) == {"tier": Decimal("0.8250555")}


def test_one_class_alone_that_the_log_has_at_one_price_stays_unexplained(banded: FourSides) -> None:
    """Whole tokens can be chance there: a margin of a twentieth gives as many."""
    banded.billed(DAY, "input_uncached", 1_000_020, "3.150063", model="banded")
    banded.counted(DAY, "banded", input_uncached=1_000_020)
    banded.logged(NOON, "banded", input_uncached=1_000_020)
    assert by_cause(banded.reconciled().causes).keys() <= {"unexplained", "margin", "rounding"}


def test_a_bill_in_cents_says_nothing_of_two_prices(sides: FourSides) -> None:
    sides.price("banded", input_uncached="3")
    sides.price("banded", input_uncached="6", input_from=LONG)
    for number, cost in ((0, "3.30"), (1, "3.71")):
        day, noon = DAY + timedelta(days=number), NOON + timedelta(days=number)
        sides.billed(day, "input_uncached", 1_000_000, cost, model="banded")
        sides.counted(day, "banded", input_uncached=1_000_000)
        sides.logged(noon, "banded", input_uncached=700_000)
        sides.logged(noon, "banded", input_from=LONG, input_uncached=300_000)
    assert "tier" not in by_cause(sides.reconciled().causes)
