"""Lines of a bill that are for a week or a month, compared over their own span: amounts worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.models.four_sides import PERIOD, FourSides, by_cause, in_millionths

MONTH: dict[str, Any] = {"charge_start": datetime(2026, 10, 1), "charge_end": datetime(2026, 11, 1)}


def used(sides: FourSides, number: int, tokens: int, lost: int = 0, *, is_counted: bool = True) -> None:
    """Tokens of a day's noon, some of which the log lacks."""
    day = PERIOD + timedelta(days=number)
    sides.logged(datetime.combine(day, datetime.min.time()) + timedelta(hours=12), input_uncached=tokens - lost)
    if is_counted:
        sides.counted(day, input_uncached=tokens)


def test_a_line_for_the_month_that_agrees_with_log_and_usage_api_has_no_cause(sides: FourSides) -> None:
    """A million on the first day and 100,000 more on each: 77.5 million at 3 dollars."""
    for number in range(31):
        used(sides, number, 1_000_000 + 100_000 * number)
    sides.billed(PERIOD, "input_uncached", 77_500_000, "232.5", **MONTH)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    assert found.lines["billed_tokens"].to_list() == found.lines["counted_tokens"].to_list()
    assert found.lines.filter(usage_date=date(2026, 10, 31))["billed_cost"].to_list() == [Decimal(12)]
    assert found.lines["billed_cost"].sum() == Decimal("232.5")


def test_without_a_usage_api_such_a_line_has_no_cause_either(sides: FourSides) -> None:
    for number in range(31):
        used(sides, number, 1_000_000 + 100_000 * number, is_counted=False)
    sides.billed(PERIOD, "input_uncached", 77_500_000, "232.5", **MONTH)
    assert by_cause(sides.reconciled().causes) == {}


def test_what_the_log_lost_of_a_month_s_line_is_missing_on_its_day(sides: FourSides) -> None:
    for number in range(31):
        used(sides, number, 1_000_000, lost=400_000 if number == 9 else 0)
    sides.billed(PERIOD, "input_uncached", 31_000_000, "93", **MONTH)
    found = sides.reconciled().causes
    assert [(row["usage_date"].day, row["cause"], row["usd"]) for row in found.iter_rows(named=True)] == [
        (10, "missing_log", Decimal("1.2"))
    ]


def test_without_a_usage_api_what_a_month_s_line_has_more_is_unexplained_once(sides: FourSides) -> None:
    for number in range(31):
        used(sides, number, 1_000_000, lost=400_000 if number == 9 else 0, is_counted=False)
    sides.billed(PERIOD, "input_uncached", 31_000_000, "93", **MONTH)
    found = sides.reconciled()
    assert in_millionths(found) == {"unexplained": Decimal("1.2")}
    assert found.causes["usd"].abs().sum() == found.causes["usd"].sum()


def test_a_month_s_line_in_cents_is_rounded_by_less_than_a_cent_in_all(sides: FourSides) -> None:
    """Ten tokens, twenty, ... 310 are 4,960 at 15 dollars: 0.0744, in cents 0.07."""
    for number in range(31):
        day, tokens = PERIOD + timedelta(days=number), 10 * (number + 1)
        sides.logged(datetime.combine(day, datetime.min.time()), output_text=tokens)
        sides.counted(day, output_text=tokens)
    sides.billed(PERIOD, "output_text", 4_960, "0.07", **MONTH)
    assert by_cause(sides.reconciled().causes) == {"rounding": Decimal("-0.0044")}


def test_a_price_that_changes_within_a_month_s_line_is_no_difference() -> None:
    """Fifteen days of a million at 3 dollars, sixteen at 2: 77, of which the first day has 3 and the last one 2."""
    sides, change = FourSides(), datetime(2026, 10, 16)
    sides.price(input_uncached="3", until=change)
    sides.price(input_uncached="2", since=change)
    for number in range(31):
        used(sides, number, 1_000_000)
    sides.billed(PERIOD, "input_uncached", 31_000_000, "77", **MONTH)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    assert [found.lines["billed_cost"].to_list()[place] for place in (0, -1)] == [Decimal(3), Decimal(2)]


def test_days_that_cost_nothing_have_their_tokens_of_a_month_s_line() -> None:
    """Fifteen days for nothing, sixteen at 2 dollars: 32, none of which is the first fifteen days'."""
    sides, change = FourSides(), datetime(2026, 10, 16)
    sides.price(input_uncached="0", until=change)
    sides.price(input_uncached="2", since=change)
    for number in range(31):
        used(sides, number, 1_000_000)
    sides.billed(PERIOD, "input_uncached", 31_000_000, "32", **MONTH)
    found = sides.reconciled()
    assert by_cause(found.causes) == {}
    assert found.lines["billed_tokens"].to_list() == [1_000_000] * 31
    assert found.lines["billed_cost"].to_list() == [0] * 15 + [2] * 16


def test_a_margin_on_a_month_s_line_is_a_margin(sides: FourSides) -> None:
    for number in range(31):
        used(sides, number, 1_000_000 + 2 * number)
    # 31,000,930 tokens are 93.00279, a tenth more 102.303069
    sides.billed(PERIOD, "input_uncached", 31_000_930, "102.303069", **MONTH)
    assert in_millionths(sides.reconciled()) == {"margin": Decimal("9.300279")}


def test_weeks_are_compared_by_themselves_beside_lines_for_a_day(sides: FourSides) -> None:
    """A line for the first seven days, of which 100,000 are not in the log, and one for each day after them."""
    for number in range(14):
        used(sides, number, 1_000_000, lost=100_000 if number == 3 else 0)
    week: dict[str, Any] = {"charge_start": datetime(2026, 10, 1), "charge_end": datetime(2026, 10, 8)}
    sides.billed(PERIOD, "input_uncached", 7_000_000, "21", **week)
    for number in range(7, 14):
        start = datetime(2026, 10, 1) + timedelta(days=number)
        of_day: dict[str, Any] = {"charge_start": start, "charge_end": start + timedelta(days=1)}
        sides.billed(start.date(), "input_uncached", 1_000_000, "3", **of_day)
    assert by_cause(sides.reconciled().causes) == {"missing_log": Decimal("0.3")}


def test_tiers_of_a_month_follow_the_log_s_shares_of_each_day(sides: FourSides) -> None:
    """Of a million a day every second one is half batches, at half the price of 3 dollars."""
    sides.price(tier="batch", input_uncached="1.5")
    for number in range(30):
        noon = datetime(2026, 10, 1, 12) + timedelta(days=number)
        batches = 500_000 if number % 2 else 0
        sides.counted(noon.date(), input_uncached=1_000_000)
        sides.logged(noon, input_uncached=1_000_000 - batches)
        if batches:
            sides.logged(noon, tier="batch", input_uncached=batches)
    sides.billed(PERIOD, "input_uncached", 22_500_000, "67.5", **MONTH)
    sides.billed(PERIOD, "input_uncached", 7_500_000, "11.25", service_tier="batch", **MONTH)
    assert by_cause(sides.reconciled().causes) == {}


def test_of_a_line_that_begins_before_the_month_its_days_there_are_another_period_s(sides: FourSides) -> None:
    """Ten days, four of them in September: of ten million 4 are of another month, at 3 dollars."""
    for number in range(6):
        used(sides, number, 1_000_000)
    span: dict[str, Any] = {"charge_start": datetime(2026, 9, 27), "charge_end": datetime(2026, 10, 7)}
    sides.billed(date(2026, 9, 27), "input_uncached", 10_000_000, "30", **span)
    assert by_cause(sides.reconciled().causes) == {"other_period": Decimal(12)}


def test_a_credit_for_the_month_and_a_model_that_nobody_knows_stay_on_their_first_day(sides: FourSides) -> None:
    used(sides, 0, 1_000_000)
    sides.billed(PERIOD, "input_uncached", 1_000_000, "3")
    sides.billed(PERIOD, None, None, "-0.5", charge_category="Credit", **MONTH)
    sides.billed(PERIOD, "input_uncached", 1_000, "2", model="nobody-lists-it", **MONTH)
    found = sides.reconciled().causes
    assert by_cause(found) == {"credit": Decimal("-0.5"), "unpriced": Decimal(2)}
    assert set(found["usage_date"]) == {PERIOD}
