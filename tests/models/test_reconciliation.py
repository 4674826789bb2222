"""Each cause of a difference alone, with amounts worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from models.reconciliation import Reconciled
from tests.models.four_sides import ACCOUNT, MODEL, PERIOD, FourSides, by_cause

DAY = date(2026, 10, 5)
NOON = datetime(2026, 10, 5, 12)


@pytest.fixture
def sides() -> FourSides:
    """One model at 3, 0.30, 3.75 and 15 dollars a million; nothing billed, counted or logged yet."""
    found = FourSides()
    found.price(input_uncached="3", cache_read="0.3", cache_write_5m="3.75", output_text="15", output_reasoning="15")
    return found


def test_what_agrees_has_no_cause(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    line = found.lines.row(0, named=True)
    assert (line["billed_tokens"], line["counted_tokens"], line["logged_tokens"]) == (1_000_000, 1_000_000, 1_000_000)
    assert (line["billed_cost"], line["estimated_cost"], line["difference"]) == (3, 3, 0)
    assert (line["account_id"], line["has_log"]) == ("gateway", True)


def test_a_log_that_lacks_what_the_provider_counted_is_a_missing_log(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=900_000)
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("0.3")}


def test_what_only_the_bill_has_is_unexplained(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=940_000)
    sides.logged(NOON, input_uncached=900_000)
    # of 100,000 that the log lacks the provider counted 40,000
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("0.12"), "unexplained": Decimal("0.18")}


def test_without_a_usage_api_nothing_proves_that_rows_are_missing(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.logged(NOON, input_uncached=900_000)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("0.3")}


def test_what_was_logged_again_is_taken_out(sides: FourSides) -> None:
    sides.billed(DAY, "output_text", 100_000, "1.5")
    sides.counted(DAY, output_text=100_000)
    sides.logged(NOON, output_text=102_000, duplicate_output_text=2_000)
    assert by_cause(sides.reconciled().causes) == {"duplicate": Decimal("-0.03")}


def test_streams_without_usage_are_told_from_missing_rows_by_the_number_of_requests(sides: FourSides) -> None:
    sides.billed(DAY, "output_text", 100_000, "1.5")
    sides.counted(DAY, output_text=100_000, requests=100)
    # 90 with usage and 4 streams without: 6 rows are missing, so that the streams had 4 tenths of what is
    sides.logged(NOON, output_text=90_000, request_count=94, answered_count=90, aborted_stream_count=4)
    assert by_cause(sides.reconciled().causes) == {"aborted_stream": Decimal("0.06"), "missing_log": Decimal("0.09")}


def test_streams_without_usage_are_of_usual_length_where_requests_are_not_counted(sides: FourSides) -> None:
    sides.billed(DAY, "output_text", 100_000, "1.5")
    sides.counted(DAY, output_text=100_000)
    sides.logged(NOON, output_text=90_000, request_count=94, answered_count=90, aborted_stream_count=4)
    # 90,000 tokens in 90 requests: four more are 4,000 tokens
    assert by_cause(sides.reconciled().causes) == {"aborted_stream": Decimal("0.06"), "missing_log": Decimal("0.09")}


def test_an_account_of_which_the_log_knows_nothing_bypasses_the_gateway(sides: FourSides) -> None:
    for account, tokens in (("gateway", 1_000_000), ("direct", 200_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"bypass": Decimal("0.6")}
    assert found.causes["account_id"].to_list() == ["direct"]


def test_a_key_within_the_gateway_s_account_can_bypass_it_too(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_200_000, "3.6")
    sides.counted(DAY, key="gateway", input_uncached=1_000_000)
    sides.counted(DAY, key="laptop", input_uncached=200_000)
    sides.logged(NOON, input_uncached=950_000)
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal("0.6"), "missing_log": Decimal("0.15")}


def test_a_log_that_begins_within_the_month_makes_no_key_a_bypass(sides: FourSides) -> None:
    """Two million a day at 3 dollars, by two keys, and a log from the 20th: 31 days are 186, 12 of them 72."""
    for number in range(31):
        day = PERIOD + timedelta(days=number)
        sides.billed(day, "input_uncached", 2_000_000, "6")
        for key in ("one", "two"):
            sides.counted(day, key=key, input_uncached=1_000_000)
        if day.day >= 20:
            sides.logged(datetime.combine(day, NOON.time()), input_uncached=2_000_000)
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal(114)}


def test_a_log_of_which_nobody_has_half_still_is_of_an_account(sides: FourSides) -> None:
    for account, tokens in (("first", 1_000_000), ("second", 800_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.logged(NOON, input_uncached=300_000)
    # of the first one 700,000 are missing; the second one is not in the log
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("2.1"), "bypass": Decimal("2.4")}


def test_a_bill_in_another_currency_is_compared_at_the_month_s_rate(sides: FourSides) -> None:
    """800,000 for 2 euros at 1.2 dollars are 2.4: the price of 3 a million to the last digit."""
    sides.usd_rates = {"EUR": Decimal("1.2")}
    sides.billed(DAY, "input_uncached", 800_000, "2", billing_currency="EUR")
    sides.logged(NOON, input_uncached=800_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    assert found.lines["billed_cost"].to_list() == [Decimal("2.4")]


def test_a_bill_in_a_currency_without_a_rate_is_no_bill_that_has_not_come(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 800_000, "2", billing_currency="EUR")
    sides.counted(DAY, input_uncached=800_000)
    sides.logged(NOON, input_uncached=800_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"no_rate": Decimal("-2.4")}
    assert found.causes["evidence"].to_list() == ["billed in EUR; no rate to USD is stated"]
    assert (found.lines["billed_cost"].to_list(), found.lines["billed_tokens"].to_list()) == ([None], [800_000])


def test_tokens_of_a_model_that_nothing_identifies_are_compared_under_unknown(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "output_text", 5_000, "0.7", model_id=None, provider_id=None, provider_name="OpenAI")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.usage.append(sides.usage[0] | {"model": None, "input_uncached_tokens": None, "output_text_tokens": 5_000})
    sides.logged(NOON, input_uncached=1_000_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"unpriced": Decimal("0.7")}
    unknown = found.lines.filter(model_id="unknown").row(0, named=True)
    assert (unknown["provider_id"], unknown["billed_tokens"], unknown["counted_tokens"]) == ("openai", 5_000, 5_000)


def test_the_lines_sum_to_the_charges(sides: FourSides) -> None:
    """3 + 2 euros at 1.1 + 0.7 + 0.25 - 0.5 - 0.1: also what no model, no account or no class has."""
    sides.usd_rates = {"EUR": Decimal("1.1")}
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, "input_uncached", 700_000, "2", billing_currency="EUR", account="elsewhere")
    sides.billed(DAY, "output_text", 5_000, "0.7", model_id=None, provider_id=None, provider_name="Somebody")
    sides.billed(DAY, None, None, "0.25", charge_category="Tax")
    sides.billed(DAY, "input_uncached", None, "-0.5", charge_category="Credit")
    sides.billed(DAY, None, None, "-0.1", charge_category="Adjustment", account="elsewhere")
    sides.logged(NOON, input_uncached=1_000_000)
    assert sides.reconciled().lines["billed_cost"].sum() == Decimal("5.55")


def test_credits_adjustments_and_taxes_are_causes_of_their_own(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.billed(DAY, None, None, "-0.50", charge_category="Credit")
    sides.billed(DAY, "input_uncached", None, "-0.20", charge_category="Adjustment")
    sides.billed(DAY, None, None, "0.57", charge_category="Tax")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    found = by_cause(sides.reconciled().causes)
    assert found == {"credit": Decimal("-0.5"), "adjustment": Decimal("-0.2"), "tax": Decimal("0.57")}


def test_a_credit_of_an_account_that_bypasses_the_gateway_is_a_credit(sides: FourSides) -> None:
    for account, tokens in (("gateway", 1_000_000), ("direct", 200_000)):
        sides.billed(DAY, "input_uncached", tokens, Decimal(tokens) * 3 / 10**6, account=account)
        sides.counted(DAY, account=account, key=f"key-of-{account}", input_uncached=tokens)
    sides.billed(DAY, None, None, "-0.50", charge_category="Credit", account="direct")
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal("0.6"), "credit": Decimal("-0.5")}


def test_the_same_input_in_other_classes_is_a_miscount_of_the_cache(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 400_000, "1.2")
    sides.billed(DAY, "cache_read", 600_000, "0.18")
    sides.counted(DAY, input_uncached=400_000, cache_read=600_000)
    sides.logged(NOON, input_uncached=500_000, cache_read=500_000)
    # a hundred thousand from 3 to 0.30
    assert by_cause(sides.reconciled().causes) == {"cache_class": Decimal("-0.27")}


def test_a_miscount_of_the_cache_leaves_missing_rows_what_they_are(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 400_000, "1.2")
    sides.billed(DAY, "cache_read", 700_000, "0.21")
    sides.counted(DAY, input_uncached=400_000, cache_read=700_000)
    sides.logged(NOON, input_uncached=500_000, cache_read=500_000)
    # 200,000 more read from the cache, of which 100,000 were logged as new: the other 100,000 are missing
    assert by_cause(sides.reconciled().causes) == {"cache_class": Decimal("-0.27"), "missing_log": Decimal("0.03")}


def test_forty_requests_whose_cached_tokens_were_undercounted_are_a_miscount_and_nothing_else() -> None:
    """A public comparison of 40 requests: 73,550 in, 20,480 out, 49,563 cached by the log, 65,304 by the bill.

    The prices are 5, 0.50, 6.25 and 30 dollars a million. The published costs, 0.939487 and 0.865846, hold 0.17 that
    both have and that is no token; they tell how many tokens were written: 8,296 in the log, 6,051 on the bill.
    """
    sides = FourSides()
    sides.price(input_uncached="5", cache_read="0.5", cache_write_5m="6.25", output_text="30")
    billed = {"input_uncached": 2_195, "cache_read": 65_304, "cache_write_5m": 6_051, "output_text": 20_480}
    costs = {"input_uncached": "0.010975", "cache_read": "0.032652", "cache_write_5m": "0.03781875"}
    for token_class, tokens in billed.items():
        sides.billed(DAY, token_class, tokens, costs.get(token_class, "0.6144"))
    sides.counted(DAY, MODEL, ACCOUNT, "key", 40, **billed)
    logged = {"input_uncached": 15_691, "cache_read": 49_563, "cache_write_5m": 8_296, "output_text": 20_480}
    assert sum(billed.values()) == sum(logged.values()) == 73_550 + 20_480
    sides.logged(NOON, MODEL, "default", **logged)
    found = sides.reconciled()
    other = Decimal("0.17")
    assert round(sum(found.lines["billed_cost"].to_list(), other), 6) == Decimal("0.865846")
    assert sum(found.lines["estimated_cost"].to_list(), other) == Decimal("0.9394865")
    assert by_cause(found.causes) == {"cache_class": Decimal("-0.07364075")}
    assert round(by_cause(found.causes)["cache_class"], 6) == Decimal("-0.073641")


def test_reasoning_is_output_on_a_bill_that_does_not_name_it(sides: FourSides) -> None:
    sides.billed(DAY, "output_text", 100_000, "1.5")
    sides.counted(DAY, output_text=100_000)
    sides.logged(NOON, output_text=60_000, output_reasoning=40_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    assert found.lines["logged_tokens"].to_list() == [100_000]


def test_what_was_logged_and_counted_and_not_billed_is_told(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 980_000, "2.94")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"not_billed": Decimal("-0.06")}


def test_what_only_the_log_has_is_unexplained(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 980_000, "2.94")
    sides.counted(DAY, input_uncached=980_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("-0.06")}


def test_a_month_of_which_no_bill_has_come_says_so(sides: FourSides) -> None:
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"no_bill": Decimal(-3)}


def in_millionths(found: Reconciled) -> dict[str, Decimal]:
    """USD by cause to six decimals: which of two prices a token had is known as far as the bill writes digits."""
    return {cause: usd for cause, exact in by_cause(found.causes).items() if (usd := round(exact, 6))}


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


def test_a_model_that_no_line_bills_is_not_billed(sides: FourSides) -> None:
    sides.price("other", input_uncached="1")
    sides.billed(DAY, "input_uncached", 2_000_000, "2", model="other")
    sides.logged(NOON, "other", input_uncached=2_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"not_billed": Decimal(-3)}


def test_a_model_without_a_price_is_unpriced(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000, "2", model="nobody-lists-it")
    sides.logged(NOON, "nobody-lists-it", input_uncached=1_000)
    assert by_cause(sides.reconciled().causes) == {"unpriced": Decimal(2)}


def test_a_line_for_a_day_of_another_month_was_compared_in_that_month(sides: FourSides) -> None:
    sides.billed(date(2026, 9, 29), "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(datetime(2026, 9, 29, 12), input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes)["other_period"] == Decimal(3)


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


def test_a_bill_by_another_midnight_is_a_boundary_of_days(sides: FourSides) -> None:
    """Ten thousand tokens at the start of each UTC day, growing by a thousand; the bill's days begin eight hours later."""
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        early, late = 10_000 + 7_000 * (number % 3), 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=early)
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        tokens = late + 10_000 + 7_000 * ((number + 1) % 3)
        sides.billed(midnight.date(), "input_uncached", tokens, Decimal(tokens) * 3 / 10**6)
        sides.counted(midnight.date(), input_uncached=early + late)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=10_000 + 7_000 * (31 % 3))
    found = sides.reconciled()
    assert set(found.lines["day_offset_hours"]) <= set(range(3, 13))
    assert by_cause(found.causes).keys() == {"day_boundary"}
    moved = {row["usage_date"]: row["usd"] for row in found.causes.iter_rows(named=True)}
    # each day lost its early hours and got the next day's: 7,000 more twice, 14,000 less once
    assert [moved[PERIOD + timedelta(days=number)] for number in range(3)] == [
        Decimal("0.021"),
        Decimal("0.021"),
        Decimal("-0.042"),
    ]


def test_a_price_that_changes_within_a_moved_day_leaves_every_cause_its_worth() -> None:
    """The bill's day of the 16th has 8 hours of the 17th. At noon of the 16th the price falls from 3 to 2 dollars."""
    sides, change = FourSides(), datetime(2026, 10, 16, 12)
    sides.price(input_uncached="3", cache_read="0.001", until=change)
    sides.price(input_uncached="2", cache_read="0.001", since=change)
    early = [10_000 + 7_000 * (number % 3) for number in range(32)]
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        late = 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=early[number])
        # 20,000 of the 16th's morning are not in the log, and 1,000 are there twice
        lost, twice = (20_000, 1_000) if number == 15 else (0, 0)
        morning = 40_000 - lost + twice
        sides.logged(midnight + timedelta(hours=10), input_uncached=morning, duplicate_input_uncached=twice)
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        prices = [2 if midnight + timedelta(hours=hour) >= change else 3 for hour in (10, 15, 26)]
        parts = (40_000, late, early[number + 1])
        cost = sum((Decimal(tokens * usd) for tokens, usd in zip(parts, prices, strict=True)), Decimal(0)) / 10**6
        sides.billed(midnight.date(), "input_uncached", sum(parts), cost)
        sides.counted(midnight.date(), input_uncached=early[number] + 40_000 + late)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=early[31])
    sides.billed(DAY, "cache_read", 1, "0.000000001")
    sides.counted(DAY, cache_read=1)
    sides.logged(NOON, cache_read=1)
    found = in_millionths(sides.reconciled())
    # the first early hours, at 3 dollars, are the month's before; those of the next month's first day cost 2
    boundary = Decimal(early[31] * 2 - early[0] * 3) / 10**6
    assert found == {"missing_log": Decimal("0.06"), "duplicate": Decimal("-0.003"), "day_boundary": boundary}


def test_a_price_billed_too_long_does_not_hide_when_the_bill_s_days_begin() -> None:
    sides, cheaper = FourSides(), datetime(2026, 10, 11)
    sides.price(input_uncached="6", until=cheaper)
    sides.price(input_uncached="3", since=cheaper)
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        late = 100_000 + 1_000 * number
        sides.logged(midnight + timedelta(hours=2), input_uncached=10_000 + 7_000 * (number % 3))
        sides.logged(midnight + timedelta(hours=15), input_uncached=late)
        tokens = late + 10_000 + 7_000 * ((number + 1) % 3)
        usd_per_mtok = 6 if number < 14 else 3  # four days longer than the price book has it
        sides.billed(midnight.date(), "input_uncached", tokens, Decimal(tokens) * usd_per_mtok / 10**6)
    sides.logged(datetime(2026, 11, 1, 2), input_uncached=10_000 + 7_000 * (31 % 3))
    assert set(sides.reconciled().lines["day_offset_hours"]) <= set(range(3, 13))


def test_a_model_that_nobody_bills_says_nothing_of_when_days_begin(sides: FourSides) -> None:
    """Little on the bill, changing from day to day; much of another model on the first night in the log."""
    sides.price("other", input_uncached="3")
    for number in range(31):
        midnight = datetime(2026, 10, 1) + timedelta(days=number)
        tokens = 100_000 + 10_000 * (number % 4)
        sides.logged(midnight + timedelta(hours=9), input_uncached=tokens)
        billed = tokens + (5_000 if number == 6 else 0)  # one day is billed with more than was logged
        sides.billed(midnight.date(), "input_uncached", billed, Decimal(billed) * 3 / 10**6)
    # a bill whose days began between three and nine would have nothing of it
    sides.logged(datetime(2026, 10, 1, 3), "other", input_uncached=14_000_000)
    found = sides.reconciled()
    assert set(found.lines["day_offset_hours"]) == {0}
    assert by_cause(found.causes) == {"not_billed": Decimal(-42), "unexplained": Decimal("0.015")}


def test_a_bill_that_does_not_count_tokens_is_for_those_of_the_usage_api(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", None, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=900_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("0.3")}
    assert found.lines["billed_tokens"].to_list() == [None]


def test_without_tokens_on_either_side_the_difference_is_unexplained(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", None, "3")
    sides.logged(NOON, input_uncached=900_000)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("0.3")}


def test_what_bypasses_the_gateway_does_so_without_a_price_or_tokens_too(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.logged(NOON, input_uncached=1_000_000)
    sides.billed(DAY, "input_uncached", 500, "2", model="nobody-lists-it", account="direct")
    sides.billed(DAY, "input_uncached", None, "1", account="direct")
    assert by_cause(sides.reconciled().causes) == {"bypass": Decimal(3)}


def test_requests_under_a_name_that_nobody_bills_are_no_missing_rows(sides: FourSides) -> None:
    sides.price("other", input_uncached="1", output_text="2")
    for model, tokens, usd in (("m", 1_000_000, "3"), ("other", 500_000, "0.5")):
        sides.billed(DAY, "input_uncached", tokens, usd, model=model)
        sides.counted(DAY, model, input_uncached=tokens)
    # of 'm' the log lacks 80,000, of 'other' 20,000, and 20,000 it has under an alias
    sides.logged(NOON, input_uncached=920_000)
    sides.logged(NOON, "other", input_uncached=480_000)
    sides.logged(NOON, "alias", input_uncached=20_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("0.24"), "unknown_model": Decimal("0.02")}


def test_a_bill_without_classes_is_compared_as_a_whole(sides: FourSides) -> None:
    # 100,000 in and 20,000 out are 0.30 + 0.30: five dollars a million on average
    sides.billed(DAY, None, 120_000, "0.6")
    sides.counted(DAY, input_uncached=100_000, output_text=20_000)
    sides.logged(NOON, input_uncached=100_000, output_text=20_000)
    sides.billed(DAY + timedelta(days=1), None, 120_000, "0.6")
    sides.counted(DAY + timedelta(days=1), input_uncached=100_000, output_text=20_000)
    sides.logged(NOON + timedelta(days=1), input_uncached=50_000, output_text=10_000)
    found = sides.reconciled()
    assert set(found.lines["token_class"]) == {"all"}
    assert by_cause(found.causes) == {"missing_log": Decimal("0.3")}


def test_one_tier_without_a_price_leaves_the_whole_estimate_unknown(sides: FourSides) -> None:
    sides.billed(DAY, "input_uncached", 2_000, "5")
    sides.logged(NOON, input_uncached=1_000)
    sides.logged(NOON, tier="priority", input_uncached=1_000)
    found = sides.reconciled()
    assert found.lines["estimated_cost"].to_list() == [None]
    assert by_cause(found.causes) == {"unpriced": Decimal(5)}


def test_tiers_of_a_class_are_estimated_each_at_its_own_price(sides: FourSides) -> None:
    sides.price(tier="batch", input_uncached="1.5")
    # three quarters at half the price: 0.75 + 1.125, on average 1.875 a million
    sides.billed(DAY, "input_uncached", 1_000_000, "1.875")
    sides.logged(NOON, input_uncached=250_000)
    sides.logged(NOON, tier="batch", input_uncached=750_000)
    found = sides.reconciled()
    assert found.lines["estimated_cost"].to_list() == [Decimal("1.875")]
    assert by_cause(found.causes) == {}


def test_a_log_of_nothing_and_a_bill_of_nothing_are_nothing() -> None:
    assert FourSides().reconciled().causes.is_empty()
