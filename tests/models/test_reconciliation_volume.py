"""Tokens that one side has and another lacks: each cause alone, with amounts worked out by hand."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from tests.models.four_sides import ACCOUNT, DAY, MODEL, NOON, FourSides, by_cause

MICRO = Decimal("0.000001")


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

    The prices are 5, 0.50, 6.25 and 30 dollars a million. The published costs, 0.939487 and 0.865846, tell how many
    tokens were written: 8,296 in the log, 6,051 on the bill. What both have beside these, 17 cents, stands here for
    what it was: 17,000 tokens at 10 dollars a million of a model that both sides have alike.
    """
    sides = FourSides()
    sides.price("beside", output_text="10")
    sides.billed(DAY, "output_text", 17_000, "0.17", model="beside")
    sides.counted(DAY, "beside", output_text=17_000)
    sides.logged(NOON, "beside", output_text=17_000)
    sides.price(input_uncached="5", cache_read="0.5", cache_write_5m="6.25", output_text="30")
    billed = {"input_uncached": 2_195, "cache_read": 65_304, "cache_write_5m": 6_051, "output_text": 20_480}
    costs = {"input_uncached": "0.010975", "cache_read": "0.032652", "cache_write_5m": "0.03781875"}
    for token_class, tokens in billed.items():
        sides.billed(DAY, token_class, tokens, costs.get(token_class, "0.6144"))
    sides.counted(DAY, MODEL, ACCOUNT, "key", 40, None, None, **billed)
    logged = {"input_uncached": 15_691, "cache_read": 49_563, "cache_write_5m": 8_296, "output_text": 20_480}
    assert sum(billed.values()) == sum(logged.values()) == 73_550 + 20_480
    sides.logged(NOON, MODEL, "default", 0, "", **logged)
    found = sides.reconciled()
    in_log = sum(found.lines["estimated_cost"].to_list(), Decimal(0))
    on_bill = sum(found.lines["billed_cost"].to_list(), Decimal(0))
    assert in_log.quantize(MICRO, ROUND_HALF_UP) == Decimal("0.939487")
    assert on_bill.quantize(MICRO, ROUND_HALF_UP) == Decimal("0.865846")
    assert by_cause(found.causes) == {"cache_class": on_bill - in_log}
    assert (on_bill - in_log).quantize(MICRO, ROUND_HALF_UP) == Decimal("0.865846") - Decimal("0.939487")
    assert set(found.causes["model_id"]) == {MODEL}


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


def test_a_model_that_no_line_bills_is_not_billed(sides: FourSides) -> None:
    sides.price("other", input_uncached="1")
    sides.billed(DAY, "input_uncached", 2_000_000, "2", model="other")
    sides.logged(NOON, "other", input_uncached=2_000_000)
    sides.logged(NOON, input_uncached=1_000_000)
    assert by_cause(sides.reconciled().causes) == {"not_billed": Decimal(-3)}


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


def test_a_log_of_nothing_and_a_bill_of_nothing_are_nothing() -> None:
    assert FourSides().reconciled().causes.is_empty()


def test_a_name_that_two_models_may_have_is_neither_s_and_its_rows_stay_missing(sides: FourSides) -> None:
    sides.price("other", input_uncached="1", output_text="2")
    for model, tokens, usd in (("m", 1_000_000, "3"), ("other", 500_000, "0.5")):
        sides.billed(DAY, "input_uncached", tokens, usd, model=model)
        sides.counted(DAY, model, input_uncached=tokens)
    sides.logged(NOON, input_uncached=920_000)
    sides.logged(NOON, "other", input_uncached=470_000)
    sides.logged(NOON, "alias", input_uncached=20_000)
    found = sides.reconciled()
    assert by_cause(found.causes) == {"missing_log": Decimal("0.27")}
    told = "the usage API has the tokens, too; some may be what the log has as alias"
    assert set(found.causes.filter(pl.col("cause") == "missing_log")["evidence"]) == {told}


def test_a_name_is_the_model_s_that_lacks_its_tokens_in_every_class_and_on_every_day(sides: FourSides) -> None:
    """On one day 'm' lacks more input than the name has, too: but not on the other one, and no output."""
    sides.price("other", input_uncached="1", output_text="2")
    for day in (DAY, DAY + timedelta(days=1)):
        for model, usd_in, usd_out in (("m", "3", "1.5"), ("other", "1", "0.2")):
            sides.billed(day, "input_uncached", 1_000_000, usd_in, model=model)
            sides.billed(day, "output_text", 100_000, usd_out, model=model)
            sides.counted(day, model, input_uncached=1_000_000, output_text=100_000)
    noon = NOON + timedelta(days=1)
    sides.logged(NOON, input_uncached=900_000, output_text=99_000)
    sides.logged(noon, input_uncached=1_000_000, output_text=100_000)
    for at in (NOON, noon):
        sides.logged(at, "other", input_uncached=950_000, output_text=95_000)
        sides.logged(at, "alias", input_uncached=30_000, output_text=2_000)
    # 60,000 at 1 and 4,000 at 2; of 'other' 40,000 and 6,000 are missing, of 'm' 100,000 at 3 and 1,000 at 15
    assert by_cause(sides.reconciled().causes) == {
        "unknown_model": Decimal("0.068"),
        "missing_log": Decimal("0.052") + Decimal("0.315"),
    }


def test_what_the_log_has_under_two_names_is_one_cause_with_both_of_them(sides: FourSides) -> None:
    """Of 1,000,000 the log lacks 400,000, and has 250,000 and 150,000 under names that nobody bills."""
    sides.billed(DAY, "input_uncached", 1_000_000, "3")
    sides.counted(DAY, input_uncached=1_000_000)
    sides.logged(NOON, input_uncached=600_000)
    sides.logged(NOON, "alias", input_uncached=250_000)
    sides.logged(NOON, "another", input_uncached=150_000)
    found = sides.reconciled().causes
    assert found.select("cause", "tokens", "usd").rows() == [("unknown_model", 400_000, Decimal("1.2"))]
    (evidence,) = found["evidence"]
    assert evidence == "; ".join(
        f"the log has them as {name}, which nobody bills or prices" for name in ("alias", "another")
    )


def test_input_of_missing_calls_is_of_all_classes_where_the_cache_was_miscounted(sides: FourSides) -> None:
    """A twentieth of the calls is missing, and the log has all cached input as new."""
    sides.billed(DAY, "input_uncached", 600_000, "1.8")
    sides.billed(DAY, "cache_read", 400_000, "0.12")
    sides.billed(DAY, "output_text", 100_000, "1.5")
    sides.counted(DAY, input_uncached=600_000, cache_read=400_000, output_text=100_000)
    sides.logged(NOON, input_uncached=950_000, output_text=95_000)
    found = sides.reconciled().causes
    # 380,000 from 3 to 0.30; missing are 30,000 at 3, 20,000 at 0.30 and 5,000 at 15
    assert by_cause(found) == {"cache_class": Decimal("-1.026"), "missing_log": Decimal("0.171")}
    assert all("an estimate" in text for text in found.filter(pl.col("cause") == "cache_class")["evidence"])
