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
    """50,007 tokens in the long context would give the cost, 0.150021 more; output, 15 dollars, is at the book's."""
    banded.billed(DAY, "input_uncached", 1_000_020, "3.150081", model="banded")
    banded.billed(DAY, "output_text", 1_000_000, "15", model="banded")
    banded.counted(DAY, "banded", input_uncached=1_000_020, output_text=1_000_000)
    banded.logged(NOON, "banded", input_uncached=1_000_020, output_text=1_000_000)
    assert by_cause(banded.reconciled().causes) == {"unexplained": Decimal("0.150021")}


@pytest.mark.parametrize(
    ("dear", "cheap", "cost", "beside"),
    [
        # 1.1 times 2.25 dollars, of which 650,000 and 350,000 tokens would be the cost as well
        (500_000, 500_000, "2.475", "0.225"),
        # 1.1 times 2.25003, whole tokens by chance: 1,500,020 halves of 3 dollars are a number of tens
        (500_004, 500_012, "2.475033", "0.225003"),
        # 15 cents beside 2.25: 100,000 tokens at the difference of 1.5
        (500_000, 500_000, "2.4", "0.15"),
        # nine tenths of 3 dollars for all of them, as no other line is: 800,004 of 1,000,005 tokens at 3
        (500_002, 500_003, "2.7000135", "0.450003"),
    ],
)
def test_at_prices_in_a_round_ratio_a_short_factor_or_whole_cents_prove_no_tier(
    banded: FourSides, dear: int, cheap: int, cost: str, beside: str
) -> None:
    """Batches at half the price of 3 dollars, which the log knows; another day of 30 dollars is at the book's."""
    banded.price("banded", tier="batch", input_uncached="1.5", output_text="7.5")
    before, noon = DAY - timedelta(days=1), NOON - timedelta(days=1)
    banded.billed(before, "output_text", 2_000_000, "30", model="banded")
    banded.counted(before, "banded", output_text=2_000_000)
    banded.logged(noon, "banded", output_text=2_000_000)
    banded.billed(DAY, "input_uncached", dear + cheap, cost, model="banded")
    banded.counted(DAY, "banded", input_uncached=dear + cheap)
    banded.logged(NOON, "banded", input_uncached=dear)
    banded.logged(NOON, "banded", tier="batch", input_uncached=cheap)
    assert in_millionths(banded.reconciled()) == {"unexplained": Decimal(beside)}


def test_at_prices_in_a_round_ratio_other_whole_tokens_are_a_difference_of_tier(banded: FourSides) -> None:
    """The log has 500,004 tokens at 3 dollars and 500,002 at 1.5; of the former 123,456 are billed as batches."""
    banded.price("banded", tier="batch", input_uncached="1.5", output_text="7.5")
    banded.billed(DAY, "input_uncached", 1_000_006, "2.064831", model="banded")
    banded.counted(DAY, "banded", input_uncached=1_000_006)
    banded.logged(NOON, "banded", input_uncached=500_004)
    banded.logged(NOON, "banded", tier="batch", input_uncached=500_002)
    assert in_millionths(banded.reconciled()) == {"tier": Decimal("-0.185184")}


@pytest.mark.parametrize("costs", [("3.30", "3.71"), ("3.3001", "3.7112")])
def test_a_bill_in_cents_or_hundredths_of_them_says_nothing_of_two_prices(
    sides: FourSides, costs: tuple[str, str]
) -> None:
    """3.90 dollars by the log on each day; a token is 0.0003 cents dearer in the long context. 15 are at the book."""
    sides.billed(DAY, "output_text", 1_000_000, "15")
    sides.logged(NOON, output_text=1_000_000)
    sides.price("banded", input_uncached="3")
    sides.price("banded", input_uncached="6", input_from=LONG)
    for number, cost in enumerate(costs):
        day, noon = DAY + timedelta(days=number), NOON + timedelta(days=number)
        sides.billed(day, "input_uncached", 1_000_000, cost, model="banded")
        sides.counted(day, "banded", input_uncached=1_000_000)
        sides.logged(noon, "banded", input_uncached=700_000)
        sides.logged(noon, "banded", input_from=LONG, input_uncached=300_000)
    less = Decimal(costs[0]) + Decimal(costs[1]) - Decimal("7.8")
    assert by_cause(sides.reconciled().causes) == {"unexplained": less}
