"""At which factor a model stands, and what only looks like a factor: other prices of the book, worked out by hand."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.models.four_sides import DAY, NOON, PERIOD, FourSides, by_cause, in_millionths

FALLS = datetime(2026, 10, 12)


def a_discount_elsewhere(sides: FourSides) -> None:
    """30 dollars of another model, at 0.93: most of the account's cost. The discount is 2.1 dollars.

    A line of a billionth of a dollar shows to which digit the bill is exact.
    """
    sides.price("exact", input_uncached="0.001")
    sides.billed(DAY, "input_uncached", 1, "0.000000001", model="exact")
    sides.counted(DAY, "exact", input_uncached=1)
    sides.logged(NOON, "exact", input_uncached=1)
    sides.billed(DAY, "input_uncached", 10_000_000, "27.9")
    sides.counted(DAY, input_uncached=10_000_000)
    sides.logged(NOON, input_uncached=10_000_000)


def test_what_the_log_lacks_as_a_price_changes_is_worth_the_model_s_own_factor(sides: FourSides) -> None:
    """Of 1,000,000 at 3 and 500,000 at 6 dollars the log lacks 600,000 of the former: 1.80 dollars.

    At 0.93, the other model's, the bill of 6 would be 6.4516 of the book, and what is lacking 3.75 a million: two
    differences that cancel each other.
    """
    a_discount_elsewhere(sides)
    sides.price("two", input_uncached="3", until=NOON)
    sides.price("two", input_uncached="6", since=NOON)
    # the day before says at what the model stands
    before = DAY - timedelta(days=1)
    sides.billed(before, "input_uncached", 2_000_000, "6", model="two")
    sides.counted(before, "two", input_uncached=2_000_000)
    sides.logged(NOON - timedelta(days=1), "two", input_uncached=2_000_000)
    sides.billed(DAY, "input_uncached", 1_500_000, "6", model="two")
    sides.counted(DAY, "two", input_uncached=1_500_000)
    sides.logged(NOON - timedelta(hours=1), "two", input_uncached=400_000)
    sides.logged(NOON, "two", input_uncached=500_000)
    assert in_millionths(sides.reconciled()) == {"discount": Decimal("-2.1"), "missing_log": Decimal("1.8")}


def test_a_model_that_tells_no_factor_of_its_own_has_the_account_s(sides: FourSides) -> None:
    """The same day alone, billed at 0.93 of 6 dollars: 5.58. What is lacking is worth 1.80, and 0.42 are off."""
    a_discount_elsewhere(sides)
    sides.price("two", input_uncached="3", until=NOON)
    sides.price("two", input_uncached="6", since=NOON)
    sides.billed(DAY, "input_uncached", 1_500_000, "5.58", model="two")
    sides.counted(DAY, "two", input_uncached=1_500_000)
    sides.logged(NOON - timedelta(hours=1), "two", input_uncached=400_000)
    sides.logged(NOON, "two", input_uncached=500_000)
    assert in_millionths(sides.reconciled()) == {"discount": Decimal("-2.52"), "missing_log": Decimal("1.8")}


def test_a_price_that_the_book_had_before_is_stale_at_a_round_ratio_too() -> None:
    """0.25 dollars against 0.20 since the 12th is 1.25 of the price, and no margin: 3 days of 5,000,000 tokens."""
    sides = FourSides()
    sides.price(input_uncached="0.25", output_text="2", until=FALLS)
    sides.price(input_uncached="0.2", output_text="1.6", since=FALLS)
    for number in (9, 10, 11, 12, 13):
        day = PERIOD + timedelta(days=number)
        sides.billed(day, "input_uncached", 5_000_000, "1.25")
        sides.billed(day, "output_text", 1_000_000, "2")
        sides.counted(day, input_uncached=5_000_000, output_text=1_000_000)
    found = sides.reconciled()
    # the 10th and 11th at the price that held; the 12th to 14th 0.25 and 0.40 too much each
    assert by_cause(found.causes.filter(part="rate")) == {"price_staleness": Decimal("1.95")}
    evidence = set(found.causes.filter(cause="price_staleness")["evidence"])
    assert evidence == {"the price of 2026-01-01 to 2026-10-12"}


def test_a_bill_that_is_corrected_after_some_days_has_no_margin_before(sides: FourSides) -> None:
    """Stale on two days of three: most of the cost stands at 1.25 of the price."""
    sides.prices.clear()
    sides.price(input_uncached="0.25", until=datetime(2026, 10, 1))
    sides.price(input_uncached="0.2", since=datetime(2026, 10, 1))
    for number, cost in ((0, "1.25"), (1, "1.25"), (2, "1")):
        day, noon = DAY + timedelta(days=number), NOON + timedelta(days=number)
        sides.billed(day, "input_uncached", 5_000_000, cost)
        sides.counted(day, input_uncached=5_000_000)
        sides.logged(noon, input_uncached=5_000_000)
    assert by_cause(sides.reconciled().causes) == {"price_staleness": Decimal("0.5")}


def test_a_margin_on_models_whose_price_never_changed_is_a_margin(sides: FourSides) -> None:
    """1.25 of 3 and 15 dollars beside a model that is at 1.25 as well: its price was that once, and is not named."""
    sides.price("fallen", input_uncached="0.25", until=FALLS.replace(day=1))
    sides.price("fallen", input_uncached="0.2", since=FALLS.replace(day=1))
    for model, cost, tokens in (("m", "3.75", 1_000_000), ("fallen", "1.25", 5_000_000)):
        sides.billed(DAY, "input_uncached", tokens, cost, model=model)
        sides.counted(DAY, model, input_uncached=tokens)
        sides.logged(NOON, model, input_uncached=tokens)
    assert by_cause(sides.reconciled().causes) == {"margin": Decimal(1)}


def a_model_whose_price_was_once_a_fifth_lower(sides: FourSides, cost_of_other: str) -> None:
    """10,000,000 tokens at 6 dollars, billed at 48 as in 2025; another model has 20,000,000 at 2 on two days."""
    sides.price("risen", input_uncached="4.8", until=datetime(2026, 1, 1), since=datetime(2025, 1, 1))
    sides.price("risen", input_uncached="6", since=datetime(2026, 1, 1))
    sides.price("other", input_uncached="2")
    lines = (
        ("risen", "48", 10_000_000, 0),
        ("other", cost_of_other, 10_000_000, 0),
        ("other", cost_of_other, 10_000_000, 1),
    )
    for model, cost, tokens, number in lines:
        sides.billed(DAY + timedelta(days=number), "input_uncached", tokens, cost, model=model)
        sides.counted(DAY + timedelta(days=number), model, input_uncached=tokens)
        sides.logged(NOON + timedelta(days=number), model, input_uncached=tokens)


def test_an_account_that_is_all_at_one_ratio_has_a_discount_though_one_model_s_price_was_that_once() -> None:
    """60 dollars at 48 and 40 at 32: both at 0.8. Of the larger model a price of 2025 would give the same."""
    sides = FourSides()
    a_model_whose_price_was_once_a_fifth_lower(sides, "16")
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal(-20)}


def test_what_stands_at_an_earlier_price_is_stale_beside_a_discount_of_another_ratio() -> None:
    """60 dollars at 48 as in 2025, and 40 at 36: that is 0.9."""
    sides = FourSides()
    a_model_whose_price_was_once_a_fifth_lower(sides, "18")
    assert by_cause(sides.reconciled().causes) == {"price_staleness": Decimal(-12), "discount": Decimal(-4)}


def test_a_class_whose_price_was_once_that_low_is_discounted_as_the_model_s_others_are() -> None:
    """8 of 10 dollars for input that was a fifth cheaper in 2025, 4 of 5 for output, which never was."""
    sides = FourSides()
    sides.price(input_uncached="8", output_text="50", until=datetime(2026, 1, 1), since=datetime(2025, 1, 1))
    sides.price(input_uncached="10", output_text="50", since=datetime(2026, 1, 1))
    sides.billed(DAY, "input_uncached", 1_000_000, "8")
    sides.billed(DAY, "output_text", 100_000, "4")
    sides.logged(NOON, input_uncached=1_000_000, output_text=100_000)
    assert by_cause(sides.reconciled().causes) == {"discount": Decimal(-3)}


def test_calls_that_the_log_has_in_a_longer_context_than_the_bill_are_a_difference_of_tier(sides: FourSides) -> None:
    """100,000 of 1,000,000 tokens are at 6 dollars in the log and at 3 on the bill; the price holds on both days."""
    a_discount_elsewhere(sides)
    sides.price("banded", input_uncached="3", output_text="15")
    sides.price("banded", input_uncached="6", output_text="22.5", input_from=200_001)
    sides.billed(DAY, "input_uncached", 1_000_000, "3", model="banded")
    sides.billed(DAY, "output_text", 100_000, "1.5", model="banded")
    sides.counted(DAY, "banded", input_uncached=1_000_000, output_text=100_000)
    sides.logged(NOON, "banded", input_uncached=900_000, output_text=90_000)
    sides.logged(NOON, "banded", input_from=200_001, input_uncached=100_000, output_text=10_000)
    found = sides.reconciled()
    # 3 a million for 100,000 of input, 7.5 for 10,000 of output
    assert in_millionths(found) == {"discount": Decimal("-2.1"), "tier": Decimal("-0.375")}
    assert set(found.causes.filter(cause="tier")["evidence"]) == {"default from 0 tokens of 2026-01-01 to 9999-12-31"}


@pytest.mark.parametrize("factor", ["1", "0.93"])
def test_rows_that_are_missing_beside_another_context_are_worth_the_bill_s(sides: FourSides, factor: str) -> None:
    """All is billed at 3 dollars, 1,100,000 tokens: 100,000 are not in the log, and 100,000 stand there at 6."""
    a_discount_elsewhere(sides)
    sides.price("banded", input_uncached="3")
    sides.price("banded", input_uncached="6", input_from=200_001)
    sides.billed(DAY, "input_uncached", 1_100_000, Decimal("3.3") * Decimal(factor), model="banded")
    sides.counted(DAY, "banded", input_uncached=1_100_000)
    sides.logged(NOON, "banded", input_uncached=900_000)
    sides.logged(NOON, "banded", input_from=200_001, input_uncached=100_000)
    found = in_millionths(sides.reconciled())
    discount = Decimal("-2.1") - Decimal("3.3") * (1 - Decimal(factor))
    assert found == {"discount": discount, "tier": Decimal("-0.3"), "missing_log": Decimal("0.3")}


@pytest.mark.parametrize("shares", [(500_000, 500_000), (500_000, 200_000)])
def test_a_bill_in_one_tier_throughout_is_no_margin_of_a_log_in_two(sides: FourSides, shares: tuple[int, int]) -> None:
    """Batches at 1.50 dollars a million in the log, all of it billed at 3: alike on all days it is 1.333 of the price."""
    sides.price(tier="batch", input_uncached="1.5")
    for number, batches in enumerate(shares):
        noon = NOON + timedelta(days=number)
        sides.billed(noon.date(), "input_uncached", 1_000_000, "3")
        sides.counted(noon.date(), input_uncached=1_000_000)
        sides.logged(noon, input_uncached=1_000_000 - batches)
        sides.logged(noon, tier="batch", input_uncached=batches)
    assert by_cause(sides.reconciled().causes) == {"tier": Decimal("0.0000015") * sum(shares)}
