"""The same tokens at another price: each cause alone, with amounts worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import DAY, FOREVER, NOON, FourSides, by_cause, in_millionths


def test_rows_that_are_missing_on_a_day_with_two_prices_are_worth_what_the_bill_says(sides: FourSides) -> None:
    sides.prices.clear()
    sides.price(input_uncached="3", cache_read="0.001", until=NOON)
    sides.price(input_uncached="2", cache_read="0.001", since=NOON)
    sides.billed(DAY, "cache_read", 1, "0.000000001")
    # 1,000,000 at 3 dollars and 500,000 at 2; of the former 100,000 are not in the log, and 50,000 are there twice
    sides.billed(DAY, "input_uncached", 1_500_000, "4")
    sides.counted(DAY, input_uncached=1_500_000, cache_read=1)
    sides.logged(NOON - timedelta(hours=1), input_uncached=950_000, duplicate_input_uncached=50_000)
    sides.logged(NOON, input_uncached=500_000, cache_read=1)
    assert in_millionths(sides.reconciled()) == {"missing_log": Decimal("0.3"), "duplicate": Decimal("-0.15")}


def test_a_discount_of_other_models_moves_no_price_of_a_log_that_lacks_nothing(sides: FourSides) -> None:
    """Most of the account stands at 0.93; the model with two prices a day stands at the book's, and its log is whole."""
    sides.price("two", input_uncached="3", until=NOON)
    sides.price("two", input_uncached="6", since=NOON)
    for noon in (NOON, NOON + timedelta(days=1)):
        sides.billed(noon.date(), "input_uncached", 5_000_000, "13.95")
        sides.logged(noon, input_uncached=5_000_000)
    sides.billed(DAY, "input_uncached", 1_500_000, "6", model="two")
    sides.logged(NOON - timedelta(hours=1), "two", input_uncached=1_000_000)
    sides.logged(NOON, "two", input_uncached=500_000)
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal("-2.1")}


def test_a_price_within_an_hour_prices_what_came_before_and_after_it(sides: FourSides) -> None:
    sides.prices.clear()
    change = NOON + timedelta(minutes=20)
    sides.price(input_uncached="3", until=change)
    sides.price(input_uncached="2", since=change)
    sides.billed(DAY, "input_uncached", 1_000_000, "2.4")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=400_000)
    sides.logged(change, input_uncached=600_000)
    sides.log[-1]["usage_hour"] = NOON
    assert by_cause(sides.reconciled().causes) == {}


def test_a_model_without_a_price_is_unpriced(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000, "2", model="nobody-lists-it")
    sides.logged(NOON, "nobody-lists-it", input_uncached=1_000)
    assert by_cause(sides.reconciled().causes) == {"unpriced": Decimal(2)}


def test_a_bill_at_a_price_of_the_book_that_is_no_longer_valid_is_stale(sides: FourSides) -> None:
    sides.price(since=datetime(2025, 1, 1), until=datetime(2026, 1, 1), input_uncached="2.5", output_text="12")
    sides.billed(DAY, "input_uncached", 1_000_000, "2.5")
    sides.billed(DAY, "output_text", 1_000_000, "15")
    sides.logged(NOON, input_uncached=1_000_000, output_text=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"price_staleness": Decimal("-0.5")}
    assert found.causes["evidence"].to_list() == ["the price of 2025-01-01 to 2026-01-01"]


def test_a_bill_at_the_price_of_another_tier_says_which(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5", output_text="7.5")
    sides.billed(DAY, "input_uncached", 1_000_000, "1.5")
    sides.billed(DAY, "output_text", 1_000_000, "15")
    sides.logged(NOON, input_uncached=1_000_000, output_text=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"tier": Decimal("-1.5")}


def test_a_price_is_not_another_one_where_only_a_class_beside_it_changes() -> None:
    """Output becomes dearer at noon of the 5th. Input costs 3 by the call and 1.5 in batches before and after."""
    sides = FourSides()
    for output, since, until in (("15", datetime(2026, 1, 1), NOON), ("20", NOON, FOREVER)):
        sides.price(input_uncached="3", output_text=output, since=since, until=until)
        sides.price(tier="batch", input_uncached="1.5", output_text="7.5", since=since, until=until)
    for day in (4, 5, 6):
        sides.billed(date(2026, 10, day), "input_uncached", 1_000_000, "3")
        sides.logged(datetime(2026, 10, day, 12), tier="batch", input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"tier": Decimal("4.5")}


@pytest.mark.parametrize(
    ("factor", "cause", "usd"),
    [("0.93", "discount", "-1.26"), ("1.1", "margin", "1.8"), ("0.875", "discount", "-2.25")],
)
def test_a_bill_that_stands_at_one_factor_throughout_has_a_discount_or_margin(
    sides: FourSides, factor: str, cause: str, usd: str
) -> None:
    for number in range(3):
        sides.billed(DAY + timedelta(days=number), "input_uncached", 1_000_000, 3 * Decimal(factor))
        sides.billed(DAY + timedelta(days=number), "output_text", 200_000, 3 * Decimal(factor))
        sides.logged(NOON + timedelta(days=number), input_uncached=1_000_000, output_text=200_000)
    assert by_cause(sides.reconciled().causes) == {cause: Decimal(usd)}


def test_a_stale_price_under_a_discount_is_taken_first(sides: FourSides) -> None:
    sides.price(since=datetime(2025, 1, 1), until=datetime(2026, 1, 1), input_uncached="2.5", output_text="12")
    sides.billed(DAY, "input_uncached", 1_000_000, "2.25")
    sides.billed(DAY, "output_text", 1_000_000, "13.5")
    sides.logged(NOON, input_uncached=1_000_000, output_text=1_000_000)
    # from 3 to 2.50, then a tenth off 2.50 and off 15
    assert by_cause(sides.reconciled().causes) == {"price_staleness": Decimal("-0.5"), "discount": Decimal("-1.75")}


def test_a_discount_of_one_model_is_found_beside_others_without(sides: FourSides) -> None:
    sides.price("other", input_uncached="1", output_text="2")
    for number in range(3):
        day, noon = DAY + timedelta(days=number), NOON + timedelta(days=number)
        sides.billed(day, "input_uncached", 1_000_000, "3")
        sides.billed(day, "input_uncached", 1_000_000, "0.8", model="other")
        sides.logged(noon, input_uncached=1_000_000)
        sides.logged(noon, "other", input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal("-0.6")}


def test_cents_are_rounding_within_half_a_unit_of_each_line(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_001_000, "3.00")
    sides.billed(DAY, "output_text", 100_500, "1.51")
    sides.logged(NOON, input_uncached=1_001_000, output_text=100_500)
    # 3.003 and 1.5075 in cents
    assert by_cause(sides.reconciled().causes) == {"rounding": Decimal("-0.0005")}


def test_a_cost_that_no_price_gives_is_unexplained(sides: FourSides) -> None:
    for number in range(3):
        sides.billed(DAY + timedelta(days=number), "input_uncached", 1_000_000, "3")
        sides.logged(NOON + timedelta(days=number), input_uncached=1_000_000)
    sides.billed(DAY + timedelta(days=3), "input_uncached", 1_000_000, "3.07")
    sides.logged(NOON + timedelta(days=3), input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("0.07")}


def test_one_tier_without_a_price_leaves_the_others_estimate_as_it_is(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 2_000, "0.018")
    sides.logged(NOON, input_uncached=1_000)
    sides.logged(NOON, tier="priority", input_uncached=1_000)
    found = sides.reconciled()
    # 1,000 at 3 dollars a million; what else is billed is for the others
    assert found.lines["estimated_cost"].to_list() == [Decimal("0.003")]
    assert by_cause(found.causes) == {"unpriced": Decimal("0.015")}


def test_tiers_of_a_class_are_estimated_each_at_its_own_price(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    # three quarters at half the price: 0.75 + 1.125, on average 1.875 a million
    sides.billed(DAY, "input_uncached", 1_000_000, "1.875")
    sides.logged(NOON, input_uncached=250_000)
    sides.logged(NOON, tier="batch", input_uncached=750_000)
    found = sides.reconciled()
    assert found.lines["estimated_cost"].to_list() == [Decimal("1.875")]
    assert by_cause(found.causes) == {}


def test_a_bill_that_tells_tiers_and_a_log_that_tells_them_agree(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    sides.billed(DAY, "input_uncached", 400_000, "1.2")
    sides.billed(DAY, "input_uncached", 600_000, "0.9", service_tier="batch")
    sides.logged(NOON, input_uncached=400_000)
    sides.logged(NOON, tier="batch", input_uncached=600_000)
    assert by_cause(sides.reconciled().causes) == {}


def test_batches_that_the_log_takes_for_ordinary_calls_are_a_difference_of_tier(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    sides.billed(DAY, "input_uncached", 400_000, "1.2", service_tier="default")
    sides.billed(DAY, "input_uncached", 600_000, "0.9", service_tier="batch")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    # 600,000 at half the price of 3
    assert by_cause(found.causes) == {"tier": Decimal("-0.9")}
    assert found.causes.row(0, named=True)["part"] == "rate"


def test_calls_of_a_tier_that_the_log_lacks_are_worth_that_tier_s_price(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    sides.price(tier="priority", input_uncached="6")
    for tier, usd in (("default", "1.2"), ("batch", "0.6"), ("priority", "2.4")):
        sides.billed(DAY, "input_uncached", 400_000, usd, service_tier=tier)
    sides.counted(DAY, input_uncached=1_200_000)
    sides.logged(NOON, input_uncached=400_000)
    sides.logged(NOON, tier="batch", input_uncached=400_000)
    sides.logged(NOON, tier="priority", input_uncached=350_000)
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("0.3")}


def test_a_tier_that_the_log_does_not_know_and_rows_that_it_lacks_are_told_apart(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    sides.billed(DAY, "input_uncached", 400_000, "1.2", service_tier="default")
    sides.billed(DAY, "input_uncached", 600_000, "0.9", service_tier="batch")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=900_000)
    # 500,000 ordinary calls too many, 600,000 batch calls too few: 100,000 batch calls are missing
    assert by_cause(sides.reconciled().causes) == {"tier": Decimal("-0.75"), "missing_log": Decimal("0.15")}


def test_each_tier_has_a_stale_price_and_the_discount_of_its_own_lines(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    sides.price(tier="batch", since=datetime(2025, 1, 1), until=datetime(2026, 1, 1), input_uncached="1.25")
    for number in range(3):
        day, noon = DAY + timedelta(days=number), NOON + timedelta(days=number)
        sides.billed(day, "input_uncached", 1_000_000, "2.7", service_tier="default")
        sides.billed(day, "output_text", 1_000_000, "13.5", service_tier="default")
        sides.billed(day, "input_uncached", 1_000_000, "1.125", service_tier="batch")
        sides.logged(noon, input_uncached=1_000_000, output_text=1_000_000)
        sides.logged(noon, tier="batch", input_uncached=1_000_000)
    found = sides.reconciled()
    # of each day, 0.25 for a batch, and a tenth of 3 + 15 + 1.25
    assert by_cause(found.causes) == {"price_staleness": Decimal("-0.75"), "discount": Decimal("-5.775")}


def test_a_bypass_is_worth_the_price_of_its_tiers(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    sides.billed(DAY, "input_uncached", 100_000, "0.3", account="direct")
    sides.billed(DAY, "input_uncached", 200_000, "0.3", account="direct", service_tier="batch")
    sides.counted(DAY, account="direct", key="d", input_uncached=300_000)
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal("0.6")}


def test_a_tier_without_a_price_is_compared_with_all_others_as_one(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 500_000, "1.5")
    sides.billed(DAY, "input_uncached", 500_000, "1.62", service_tier="flex")
    sides.billed(DAY, "output_text", 1_000_000, "15")
    sides.logged(NOON, input_uncached=1_000_000, output_text=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("0.12")}


def test_what_the_book_has_for_nothing_has_causes_as_any_other_price_has(sides: FourSides) -> None:
    """Free in the default tier, 1.5 dollars a million as a batch; the price of 2025, 0.5 dollars, is billed still."""
    sides.price("free", since=datetime(2025, 1, 1), until=datetime(2026, 1, 1), input_uncached="0.5")
    sides.price("free", input_uncached="0")
    sides.price("free", tier="batch", input_uncached="1.5")
    sides.billed(DAY, "input_uncached", 1_000_000, "0.5", model="free")
    sides.billed(DAY, "input_uncached", 1_000_000, "1.5", model="free", service_tier="batch")
    sides.logged(NOON, "free", input_uncached=1_000_000)
    sides.logged(NOON, "free", tier="batch", input_uncached=1_000_000)
    sides.billed(DAY + timedelta(days=1), "input_uncached", 2_000_000, "1", model="free")
    sides.logged(NOON + timedelta(days=1), "free", input_uncached=2_000_000)
    assert by_cause(sides.reconciled().causes) == {"price_staleness": Decimal("1.5")}


@pytest.mark.parametrize("cost", ["3.57", "2.55", "4.1"])
def test_one_large_line_that_is_off_is_no_factor_of_the_account(sides: FourSides, cost: str) -> None:
    """Four other lines stand at the book: of one alone some decimal gives any cost, 1.19 gives 3.57 dollars."""
    sides.billed(DAY, "input_uncached", 1_000_000, cost)
    sides.logged(NOON, input_uncached=1_000_000)
    for number in range(1, 5):
        noon = NOON + timedelta(days=number)
        sides.billed(noon.date(), "input_uncached", 100_000 + number, Decimal(100_000 + number) * 3 / 10**6)
        sides.logged(noon, input_uncached=100_000 + number)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal(cost) - 3}


@pytest.mark.parametrize("everywhere", [None, "1"])
def test_what_a_log_in_two_regions_lost_is_worth_their_average(everywhere: str | None) -> None:
    """Half of the tokens at 4 dollars, half at 3: two million that are lost are 7 dollars."""
    sides = FourSides()
    sides.price(region="eu", input_uncached="4")
    sides.price(region="us", input_uncached="3")
    if everywhere:
        sides.price(input_uncached=everywhere)
    for number in range(2):
        sides.billed(DAY + timedelta(days=number), "input_uncached", 2_000_000, "7")
        sides.counted(DAY + timedelta(days=number), input_uncached=2_000_000)
    sides.logged(NOON, region="eu", input_uncached=1_000_000)
    sides.logged(NOON, region="us", input_uncached=1_000_000)
    causes = sides.reconciled().causes
    assert by_cause(causes) == {"missing_log": 7}
    assert causes["tokens"].to_list() == [2_000_000]


def test_a_stray_call_elsewhere_moves_no_price_of_what_is_lost(sides: FourSides) -> None:
    sides.price(region="eu", input_uncached="4")
    for number in range(3):
        sides.billed(DAY + timedelta(days=number), "input_uncached", 1_000_000, "4")
        sides.counted(DAY + timedelta(days=number), input_uncached=1_000_000)
        if number < 2:
            sides.logged(NOON + timedelta(days=number), region="eu", input_uncached=1_000_000)
    sides.billed(DAY + timedelta(days=5), "input_uncached", 1, "0.000003")
    sides.counted(DAY + timedelta(days=5), input_uncached=1)
    sides.logged(NOON + timedelta(days=5), input_uncached=1)
    assert by_cause(sides.reconciled().causes) == {"missing_log": 4}
