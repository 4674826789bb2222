"""What is rounding and what only looks like it, line by line and all together: amounts worked out by hand."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from models.reconciliation_amounts import Amount, rest
from models.reconciliation_amounts import by_cause as by_cause_of
from models.reconciliation_cells import Cell
from models.reconciliation_sides import USD_DIGIT, ZERO, Billed, Key
from models.reconciliation_volume import Part
from models.reconciliation_worth import worth_of
from tests.models.four_sides import PERIOD, FourSides, by_cause

NOON = datetime(2026, 10, 1, 12)


def a_month(sides: FourSides, tokens: list[int], costs: list[Decimal], lines: int) -> dict[str, Decimal]:
    """Causes of a bill with so many lines a day."""
    for number, (count, cost) in enumerate(zip(tokens, costs, strict=True)):
        day = PERIOD + timedelta(days=number)
        sides.billed(day, "input_uncached", count, cost, lines=lines)
        sides.counted(day, input_uncached=count)
        sides.logged(NOON + timedelta(days=number), input_uncached=count)
    return by_cause(sides.reconciled().causes)


@pytest.mark.parametrize(("cost", "margin"), [("1.10", "3"), ("1.05", "1.5")])
def test_many_lines_a_day_in_cents_hide_no_margin(cost: str, margin: str) -> None:
    """Of 24 lines half a cent each is 12 cents a day; what they spread by is 1.4 cents, and 7.7 cents in 30 days."""
    sides = FourSides()
    sides.price(input_uncached="1")
    assert a_month(sides, [1_000_000] * 30, [Decimal(cost)] * 30, 24) == {"margin": Decimal(margin)}


def test_lines_that_are_all_rounded_up_are_no_rounding(sides: FourSides) -> None:
    """3.006 dollars and 0.03 more each day, always up to the next cent: 0.12 more than 103.23 in 30 days.

    One line each, half a cent at most; 30 of them spread by 1.6 cents, and four times that is 6.3.
    """
    tokens = [1_002_000 + 10_000 * number for number in range(30)]
    costs = [Decimal("3.01") + Decimal("0.03") * number for number in range(30)]
    # at a thousandth more each day is off by a tenth of a cent at most
    assert a_month(sides, tokens, costs, 1) == {"margin": Decimal("0.10323"), "rounding": Decimal("0.01677")}


def test_what_is_rounded_up_where_no_factor_gives_it_is_unexplained(sides: FourSides) -> None:
    """Half a dollar and 15 dollars by turns, both up by 0.4 cents: what fits the one is too much for the other."""
    pairs = [(165_200, "0.50"), (4_998_700, "15.00")]
    tokens = [tokens + 10_000 * place for place in range(15) for tokens, _ in pairs]
    costs = [Decimal(cost) + Decimal("0.03") * place for place in range(15) for _, cost in pairs]
    found = a_month(sides, tokens, costs, 1)
    expected = sum(costs, Decimal(0)) - Decimal(sum(tokens)) * 3 / 10**6
    assert expected == Decimal("0.1245")
    assert sum(found.values(), Decimal(0)) == expected
    assert abs(found.get("rounding", Decimal(0))) < Decimal("0.064")


@pytest.mark.parametrize("seed", range(5))
def test_cents_of_many_lines_that_are_rounded_fairly_are_rounding(sides: FourSides, seed: int) -> None:
    chance = random.Random(seed)
    days = [[chance.randrange(10_000, 90_000) for _ in range(24)] for _ in range(30)]
    costs = [sum((round(Decimal(count) * 3 / 10**6, 2) for count in day), Decimal(0)) for day in days]
    found = a_month(sides, [sum(day) for day in days], costs, 24)
    assert found.keys() == {"rounding"}
    assert found["rounding"] == sum(costs, Decimal(0)) - Decimal(sum(map(sum, days))) * 3 / 10**6


def test_lines_of_one_size_are_rounded_alike(sides: FourSides) -> None:
    """35,000 tokens at 3 dollars are 10.5 cents: 11 on every day, as any single line would be."""
    assert a_month(sides, [35_000] * 30, [Decimal("0.11")] * 30, 1) == {"rounding": Decimal("0.15")}


def test_rounding_says_the_most_that_it_can_be(sides: FourSides) -> None:
    """One line of 3.003 dollars in cents: half a cent, and a unit of the twelfth decimal for each amount."""
    sides.billed(PERIOD, "input_uncached", 1_001_000, "3.00")
    sides.logged(NOON, input_uncached=1_001_000)
    (row,) = sides.reconciled().causes.iter_rows(named=True)
    assert (row["cause"], row["usd"]) == ("rounding", Decimal("-0.003"))
    assert Decimal("0.005") < row["rounding_limit"] < Decimal("0.00500000001")


def test_24_lines_spread_by_four_times_the_root_of_their_number(sides: FourSides) -> None:
    """Halves of a cent: 24 lines spread by the root of 24 / 3, which is 2.8284; four times that is 11.3137 halves."""
    sides.billed(PERIOD, "input_uncached", 1_001_000, "3.05", lines=24)
    sides.logged(NOON, input_uncached=1_001_000)
    (row,) = sides.reconciled().causes.iter_rows(named=True)
    assert (row["cause"], row["usd"]) == ("rounding", Decimal("0.047"))
    assert round(row["rounding_limit"], 6) == Decimal("0.056569")


def a_cell_of_two_prices(moved_cost: str) -> Cell:
    """100 tokens on both sides, estimated at 300 microdollars, billed at 4 microdollars each."""
    cell = Cell(Key(PERIOD, "openai", "gateway", "m", "input_uncached"), Billed(tokens=Decimal(100), lines=Decimal(1)))
    cell.logged = cell.moved = 100
    cell.estimated, cell.moved_cost = Decimal("0.0003"), Decimal(moved_cost)
    cell.price, cell.prices = Decimal("0.000004"), frozenset({Decimal("0.000003"), Decimal("0.000006")})
    return cell


def test_a_volume_that_no_part_has_is_no_rounding() -> None:
    """400 billed microdollars, less 300: without a difference of tokens 100 are left, and no digit leaves as much."""
    (rest,) = worth_of(a_cell_of_two_prices("0.0003"), [])
    assert (rest.cause, rest.tokens, rest.usd) == ("unexplained", None, Decimal("0.0001"))


def test_as_many_tokens_can_enter_a_day_as_leave_it_at_another_price() -> None:
    """The bill's day has 100 tokens as the log's has, which cost 400 microdollars instead of 300."""
    (moved,) = worth_of(a_cell_of_two_prices("0.0004"), [Part("day_boundary", Decimal(0), "8 hours")])
    assert (moved.cause, moved.tokens, moved.usd) == ("day_boundary", 0, Decimal("0.0001"))


def test_what_is_left_is_told_with_what_was_unexplained_before() -> None:
    """One token at 4 microdollars that nothing else has, and a rest that no part has: together 100 microdollars."""
    cell = a_cell_of_two_prices("0.0003")
    cell.prices = frozenset({Decimal("0.000004")})
    (rest,) = worth_of(cell, [Part("unexplained", Decimal(1), "billed; neither log nor usage API has it")])
    assert (rest.cause, rest.tokens, rest.usd) == ("unexplained", 1, Decimal("0.0001"))
    assert rest.evidence == "billed; neither log nor usage API has it; more than rounding, of no part"


def _discounted(sides: FourSides, currency: str, digits: int, usd_rate: str = "1") -> None:
    """Ten days at 0.93 of 3 dollars a million, each rounded to so many digits of its currency."""
    sides.usd_rates = {currency: Decimal(usd_rate)}
    for number in range(10):
        noon, tokens = NOON + timedelta(days=number), 1_234_567 + 1_111 * number
        cost = round(tokens * Decimal("2.79") / 10**6 / Decimal(usd_rate), digits)
        sides.billed(noon.date(), "input_uncached", tokens, cost, billing_currency=currency)
        sides.counted(noon.date(), input_uncached=tokens)
        sides.logged(noon, input_uncached=tokens)


@pytest.mark.parametrize(("currency", "digits", "usd_rate"), [("USD", 2, "1"), ("EUR", 2, "1.1"), ("JPY", 0, "0.0067")])
def test_a_line_of_more_digits_leaves_the_others_their_rounding(currency: str, digits: int, usd_rate: str) -> None:
    """7 % of 12,395,665 tokens at 3 dollars a million are 2.60 dollars; one line of 0.009765 is 7 % off 0.0105."""
    sides = FourSides()
    sides.price(input_uncached="3", output_text="15")
    _discounted(sides, currency, digits, usd_rate)
    sides.billed(PERIOD, "output_text", 700, "0.009765")
    sides.counted(PERIOD, output_text=700)
    sides.logged(NOON, output_text=700)
    causes = by_cause(sides.reconciled().causes)
    assert causes.keys() <= {"discount", "rounding"}
    assert round(causes["discount"], 5) == round(-(Decimal("0.07") * (12_395_665 * 3 + 700 * 15)) / 10**6, 5)


def test_a_line_that_ends_early_among_longer_ones_is_rounded_as_they_are() -> None:
    """Of 12 lines of six decimals one writes 3.70 where 3.703701 is due: that is no rounding."""
    sides = FourSides()
    sides.price(input_uncached="3")
    for number in range(12):
        noon, tokens = NOON + timedelta(days=number), 1_234_567 + 1_111 * number
        cost = Decimal("3.70") if number == 0 else tokens * Decimal(3) / 10**6  # 3.703701 at the price
        sides.billed(noon.date(), "input_uncached", tokens, cost)
        sides.counted(noon.date(), input_uncached=tokens)
        sides.logged(noon, input_uncached=tokens)
    assert by_cause(sides.reconciled().causes) == {"unexplained": Decimal("-0.003701")}


def test_what_is_left_is_rounding_up_to_its_limit_and_unexplained_beyond() -> None:
    limit = Decimal("0.005")
    for usd, cause in ((limit, "rounding"), (-limit, "rounding"), (limit + USD_DIGIT, "unexplained")):
        assert rest(usd, limit, "rounded", "beyond").cause == cause


def test_what_has_neither_tokens_nor_money_is_no_cause() -> None:
    nothing = Amount("tier", ZERO, ZERO, "none")
    opposite = [Amount("tier", None, Decimal(1), "one"), Amount("tier", None, Decimal(-1), "other")]
    assert by_cause_of([nothing, *opposite]) == []
