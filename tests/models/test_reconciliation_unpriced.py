"""A class of which some requests have no price: only these are unpriced. Amounts worked out by hand."""

from datetime import timedelta
from decimal import Decimal

from tests.models.four_sides import DAY, NOON, FourSides, by_cause


def a_log_with_a_tier_that_has_no_price(sides: FourSides, days: int = 0) -> None:
    """900,000 tokens at 3 dollars a million, and 100,000 in a tier that the book does not have."""
    noon = NOON + timedelta(days=days)
    sides.logged(noon, input_uncached=900_000)
    sides.logged(noon, tier="priority", input_uncached=100_000)


def test_what_is_missing_beside_a_request_without_a_price_is_missing(sides: FourSides) -> None:
    """1,050,000 tokens for 3.35: 950,000 at 3 are 2.85, of which the log lacks 50,000; 0.50 are of the other tier."""
    sides.billed(DAY, "input_uncached", 1_050_000, "3.35")
    sides.counted(DAY, input_uncached=1_050_000)
    a_log_with_a_tier_that_has_no_price(sides)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("0.15"), "unpriced": Decimal("0.5")}
    line = found.lines.row(0, named=True)
    assert (line["logged_tokens"], line["unpriced_tokens"]) == (1_000_000, 100_000)
    assert line["estimated_cost"] == Decimal("2.7")
    assert line["usd_per_token"] == Decimal("0.000003")


def test_what_was_logged_again_beside_a_request_without_a_price_is_a_duplicate(sides: FourSides) -> None:
    """20,000 of the tokens with a price and 10,000 of those without were logged again: 0.06, and nobody knows what."""
    sides.billed(DAY, "input_uncached", 970_000, "3.04")
    sides.counted(DAY, input_uncached=970_000)
    sides.logged(NOON, input_uncached=900_000, duplicate_input_uncached=20_000)
    sides.logged(NOON, tier="priority", input_uncached=100_000, duplicate_input_uncached=10_000)
    found = sides.reconciled()
    # 880,000 at 3 are 2.64; the other 0.40 are for 90,000 tokens
    assert by_cause(found.causes) == {"duplicate": Decimal("-0.06"), "unpriced": Decimal("0.4")}
    assert found.causes.filter(cause="duplicate")["tokens"].to_list() == [-30_000]
    assert found.lines["unpriced_tokens"].to_list() == [100_000]


def test_a_discount_of_the_class_s_other_days_is_one_beside_a_request_without_a_price(sides: FourSides) -> None:
    """At nine tenths 900,000 are 2.43 of the 3.13; the day after is 2.70 for 1,000,000."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3.13")
    sides.billed(DAY + timedelta(days=1), "input_uncached", 1_000_000, "2.7")
    a_log_with_a_tier_that_has_no_price(sides)
    sides.logged(NOON + timedelta(days=1), input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"discount": Decimal("-0.57"), "unpriced": Decimal("0.7")}


def test_one_token_without_a_price_hides_no_error_of_the_bill(sides: FourSides) -> None:
    """The provider's dearest input costs 20 dollars a million, ten times that is 200: 0.0002 for one token."""
    sides.price("dearest", input_uncached="20", output_text="90")
    sides.price("dearest", input_uncached="30", tier="priority", until=NOON - timedelta(days=30))
    sides.billed(DAY, "input_uncached", 1_000_001, "4.5")
    sides.logged(NOON, input_uncached=1_000_000)
    sides.logged(NOON, tier="priority", input_uncached=1)
    found = sides.reconciled().causes
    # 1,000,000 at 3 dollars, and 1.50 beside them
    assert by_cause(found) == {"unpriced": Decimal("0.0002"), "unexplained": Decimal("1.4998")}
    assert found.filter(cause="unexplained")["evidence"].to_list() == [
        "more than 10 times what tokens without a price cost at the provider's dearest of the class"
    ]


def test_no_more_tokens_are_unpriced_than_are_billed(sides: FourSides) -> None:
    """Of 1,000 that have no price 10 are billed: at ten times 3 dollars a million they are 0.0003."""
    sides.billed(DAY, "input_uncached", 10, "0.001")
    sides.counted(DAY, input_uncached=10)
    sides.logged(NOON, input_uncached=1)
    sides.logged(NOON, tier="priority", input_uncached=1_000)
    found = sides.reconciled().causes.filter(part="rate")
    assert by_cause(found) == {"unpriced": Decimal("0.0003"), "unexplained": Decimal("0.0007")}


def test_a_bill_without_classes_is_bound_by_the_dearest_of_all(sides: FourSides) -> None:
    """Ten times 15 dollars a million, the price of output: 0.15 for 1,000 tokens, and 4.85 are unexplained."""
    sides.billed(DAY, None, 1_001_000, "8")
    sides.logged(NOON, input_uncached=1_000_000)
    sides.logged(NOON, tier="priority", input_uncached=1_000)
    found = sides.reconciled().causes
    assert by_cause(found) == {"unpriced": Decimal("0.15"), "unexplained": Decimal("4.85")}


def test_what_was_logged_again_is_told_in_tokens_where_nothing_has_a_price(sides: FourSides) -> None:
    sides.billed(DAY, "output_audio", 1_000, "2")
    sides.logged(NOON, output_audio=1_400, duplicate_output_audio=400)
    found = sides.reconciled().causes
    assert by_cause(found) == {"unpriced": Decimal(2)}
    assert found.filter(cause="duplicate").select("part", "tokens", "usd").rows() == [("volume", -400, 0)]


def test_rows_are_missing_where_all_that_was_logged_has_no_price(sides: FourSides) -> None:
    """1,000,000 for 3.20, of which the log has 100,000 in a tier without a price: 900,000 at 3, and 0.50."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3.2")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, tier="priority", input_uncached=100_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("2.7"), "unpriced": Decimal("0.5")}
    assert found.lines["estimated_cost"].to_list() == [None]


def test_tokens_that_are_not_billed_are_first_those_with_a_price(sides: FourSides) -> None:
    """50,000 for 0.40: no more than have no price. The 900,000 with one were estimated at 2.70 and are not there."""
    sides.billed(DAY, "input_uncached", 50_000, "0.4")
    a_log_with_a_tier_that_has_no_price(sides)
    found = sides.reconciled().causes
    assert by_cause(found.filter(part="volume")) == {"unexplained": Decimal("-2.7")}
    assert by_cause(found.filter(part="rate")) == {"unpriced": Decimal("0.4")}
    assert found.filter(part="volume")["tokens"].to_list() == [-950_000]


def test_a_bill_below_what_the_tokens_with_a_price_cost_is_unexplained(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "2")
    a_log_with_a_tier_that_has_no_price(sides)
    found = sides.reconciled().causes
    # 2.70 at the book, and nothing below zero for the rest
    assert by_cause(found) == {"unexplained": Decimal("-0.7")}


def test_a_class_without_any_price_is_unpriced_whole(sides: FourSides) -> None:
    sides.billed(DAY, "output_audio", 1_000, "2")
    sides.logged(NOON, output_audio=1_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"unpriced": Decimal(2)}
    assert found.lines.select("estimated_cost", "unpriced_tokens").row(0) == (None, 1_000)


def test_what_is_missing_is_worth_the_log_s_one_price_though_the_class_is_billed_at_another(sides: FourSides) -> None:
    """The log takes all for batches at 1.5 dollars; the bill is at 3, as the day before shows.

    Of 1,050,000 for 3.35 the log lacks 50,000, 0.075 at its price; 950,000 at 3 are 1.425 more, and 0.50 are left.
    """
    sides.price(tier="batch", input_uncached="1.5")
    before = DAY - timedelta(days=1)
    sides.billed(before, "input_uncached", 1_000_000, "3")
    sides.counted(before, input_uncached=1_000_000)
    sides.logged(NOON - timedelta(days=1), tier="batch", input_uncached=1_000_000)
    sides.billed(DAY, "input_uncached", 1_050_000, "3.35")
    sides.counted(DAY, input_uncached=1_050_000)
    sides.logged(NOON, tier="batch", input_uncached=900_000)
    sides.logged(NOON, tier="priority", input_uncached=100_000)
    found = by_cause(sides.reconciled().causes.filter(usage_date=DAY))
    assert found == {"missing_log": Decimal("0.075"), "tier": Decimal("1.425"), "unpriced": Decimal("0.5")}
