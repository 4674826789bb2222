"""Prices that hold in one region: another region's is another price. Amounts worked out by hand."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import DAY, NOON, FourSides, by_cause, in_millionths

LOWER, RISES = datetime(2025, 1, 1), datetime(2026, 1, 1)


@pytest.fixture
def regional(sides: FourSides) -> FourSides:
    """3 dollars everywhere, as ever; 4 in `eu`, where it was 2.5 before 2026."""
    sides.price(region="eu", input_uncached="2.5", output_text="15", since=LOWER, until=RISES)
    sides.price(region="eu", input_uncached="4", output_text="15", since=RISES)
    return sides


def used(sides: FourSides, tokens: int, cost: str, region: str, output: str = "15") -> None:
    """Input of one cost, and a million tokens of output, at the price of 15 dollars or another cost."""
    sides.billed(DAY, "input_uncached", tokens, cost)
    sides.billed(DAY, "output_text", 1_000_000, output)
    sides.counted(DAY, input_uncached=tokens, output_text=1_000_000)
    sides.logged(NOON, region=region, input_uncached=tokens, output_text=1_000_000)


def test_a_bill_at_another_region_s_price_says_which(regional: FourSides) -> None:
    used(regional, 1_000_000, "4", "")
    found = regional.reconciled().causes
    assert by_cause(found) == {"tier": Decimal(1)}
    assert found["evidence"].to_list() == ["default from 0 tokens in eu of 2026-01-01 to 9999-12-31"]


def test_what_another_region_once_cost_is_no_stale_price(regional: FourSides) -> None:
    used(regional, 1_000_000, "2.5", "")
    assert by_cause(regional.reconciled().causes) == {"tier": Decimal("-0.5")}


def test_what_the_log_s_region_once_cost_is_stale(regional: FourSides) -> None:
    used(regional, 1_000_000, "2.5", "eu")
    found = regional.reconciled().causes
    assert by_cause(found) == {"price_staleness": Decimal("-1.5")}
    assert found["evidence"].to_list() == ["the price of 2025-01-01 to 2026-01-01"]


def test_a_discount_is_no_old_price_of_another_region(regional: FourSides) -> None:
    """Input and output at 0.8: 2.4 of 3 dollars, which `eu` had in 2024, and 12 of 15."""
    regional.price(region="eu", input_uncached="2.4", output_text="15", since=datetime(2024, 1, 1), until=LOWER)
    used(regional, 1_000_000, "2.4", "", output="12")
    assert by_cause(regional.reconciled().causes) == {"discount": Decimal("-3.6")}


def test_a_day_that_the_log_lacks_is_worth_the_price_of_its_region(regional: FourSides) -> None:
    used(regional, 1_000_000, "4", "eu")
    regional.billed(DAY + timedelta(days=1), "input_uncached", 1_000_000, "4")
    regional.counted(DAY + timedelta(days=1), input_uncached=1_000_000)
    assert by_cause(regional.reconciled().causes) == {"missing_log": Decimal(4)}


def test_other_shares_of_two_regions_are_a_difference_of_tier(regional: FourSides) -> None:
    """The log has 300,003 of 1,000,003 tokens in `eu`, the bill 100,001: 200,002 at a dollar less."""
    regional.price("exact", input_uncached="0.001")
    regional.billed(DAY, "input_uncached", 1, "0.000000001", model="exact")
    regional.counted(DAY, "exact", input_uncached=1)
    regional.logged(NOON, "exact", input_uncached=1)
    regional.billed(DAY, "input_uncached", 1_000_003, "3.10001")
    regional.counted(DAY, input_uncached=1_000_003)
    regional.logged(NOON, input_uncached=700_000)
    regional.logged(NOON, region="eu", input_uncached=300_003)
    found = regional.reconciled()
    assert in_millionths(found) == {"tier": Decimal("-0.200002")}
    (evidence,) = found.causes.filter(cause="tier")["evidence"]
    assert evidence == (
        "900,002 tokens in default from 0 tokens and 100,001 in default from 0 tokens in eu of 2026-01-01 to 9999-12-31"
    )
