"""Levels bought in steps: against machines that are followed hour by hour, and worked out by hand."""

from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.commitment_comparison import Prices
from models.commitment_ladder import held_in_steps, laddered, stopped
from models.commitment_level import USE_SCALE, best_level, use_of

MACHINE = USE_SCALE
PRICES = st.builds(
    Prices, st.fractions(Fraction(1, 20), 9, max_denominator=20), st.fractions(Fraction(1, 20), 9, max_denominator=20)
)
HOURS = st.lists(st.integers(0, 5 * MACHINE), min_size=1, max_size=6)


def followed(
    hourly: list[Fraction], after: list[Fraction], terms: list[tuple[int, int]], months: int, at: Prices
) -> Fraction:
    """What the months cost, each commitment a pair of first month and first month after, hour by hour."""
    total = Fraction(0)
    for month in range(months):
        held = sum(1 for first, end in terms if first <= month < end)
        hours = hourly if month == 0 else after
        paid = sum((at.committed * held + at.on_demand * max(used - held, Fraction(0)) for used in hours), Fraction(0))
        total += paid * 730 / len(hours)
    return total


@given(HOURS, st.integers(0, 9), PRICES, st.integers(1, 5), st.sampled_from([0, 40, 85, 100, 130]))
def test_costs_are_those_of_machines_followed_hour_by_hour(
    hourly: list[int], level: int, prices: Prices, term: int, percent: int
) -> None:
    (found,) = laddered(use_of(hourly), level, prices, term, [percent])
    before = [Fraction(used, MACHINE) for used in hourly]
    after = [Fraction(used * percent // 100, MACHINE) for used in hourly]
    months = term + 3
    at_once = [(0, term)] * level
    steps = [(month, month + term) for month, count in enumerate(found.steps) for _ in range(count)]
    assert found.at_once_cost == followed(before, after, at_once, months, prices)
    assert found.cost == followed(before, after, steps, months, prices)
    by_month = [
        min(followed(hours, hours, [(0, 1)] * count, 1, prices) for count in range(9)) for hours in (before, after)
    ]
    assert found.best_cost == by_month[0] + by_month[1] * (months - 1)
    assert found.months == months


@given(HOURS, PRICES, st.integers(1, 6))
def test_while_use_stays_steps_to_the_best_level_never_cost_more_than_buying_at_once(
    hourly: list[int], prices: Prices, term: int
) -> None:
    use = use_of(hourly)
    level = best_level(use, prices.committed, prices.on_demand)
    (found,) = laddered(use, level, prices, term, [100])
    assert sum(found.steps) == level
    assert 0 <= found.regret <= found.at_once_regret


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda hours: [count * MACHINE for count in hours]),
    st.integers(0, 6),
    PRICES,
    st.sampled_from([0, 50, 100, 150]),
)
def test_for_terms_of_a_month_no_other_steps_within_the_plan_cost_less_once_use_is_known(
    hourly: list[int], level: int, prices: Prices, percent: int
) -> None:
    """Every way of buying no more than is planned in each month after the first: brute force."""
    (found,) = laddered(use_of(hourly), level, prices, 1, [percent])
    held = [0, *(-(-level * month // 4) for month in (1, 2, 3, 4))]
    planned = [later - sooner for sooner, later in pairwise(held)]
    before = [Fraction(used, MACHINE) for used in hourly]
    after = [Fraction(used * percent // 100, MACHINE) for used in hourly]
    costs = [followed(before, after, [(0, 1)] * planned[0], 1, prices)]
    by_count = [followed(after, after, [(0, 1)] * count, 1, prices) for count in range(max(planned) + 1)]
    every = (sum((by_count[count] for count in counts), costs[0]) for counts in product(*map(_up_to, planned[1:])))
    assert found.cost == min(every)


def _up_to(most: int) -> range:
    return range(most + 1)


def test_ten_machines_of_which_half_are_needed_no_more_after_a_month() -> None:
    """Ten always run, at 6 of 10 an hour, for a year: 3 in the first month, and after it only two more, not seven."""
    use = use_of([10 * MACHINE] * 24)
    stays, falls = laddered(use, 10, Prices(Fraction(6), Fraction(10)), 12, [100, 50])
    assert stays.steps == (3, 2, 3, 2)
    assert falls.steps == (3, 2, 0, 0)
    # 15 months; at once: 12 at 60 an hour and 3 at 100. Steps: 120 machine-months at 6, and 30 at 10: the same
    assert (stays.months, stays.at_once_cost, stays.cost) == (15, 1020 * 730, 1020 * 730)
    assert stays.regret == (1020 - 15 * 60) * 730
    # at once: 60 in each of 12 months, 50 in 3. Steps: 3 at 6 and 7 at 10; then 5 at 6 for 11 months, and 2 at 6 and
    # 3 at 10 in the month in which the first three have ended; then 50 for 2
    assert falls.at_once_cost == (12 * 60 + 3 * 50) * 730
    assert falls.cost == (88 + 11 * 30 + 42 + 2 * 50) * 730
    assert falls.best_cost == (60 + 14 * 30) * 730
    assert (falls.at_once_regret, falls.regret) == (390 * 730, 80 * 730)


def test_steps_end_one_after_another() -> None:
    assert held_in_steps([3, 2, 3, 2], 12) == [3, 5, 8, *[10] * 9, 7, 5, 2]
    assert held_in_steps([1, 1], 1) == [1, 1]
    assert stopped([3, 2, 3, 2], 6, 12) == [3, 2, 1, 0]
    assert stopped([3, 2, 3, 2], 1, 12) == [3, 0, 0, 0]
    assert stopped([3, 2, 3, 2], 2, 1) == [3, 2, 2, 2]  # a month later nothing of the first is held any more


def test_what_cannot_be_laddered_is_refused() -> None:
    prices = Prices(Fraction(1), Fraction(2))
    with pytest.raises(ValueError, match="one of each at least"):
        laddered(use_of([]), 1, prices, 12, [100])
    with pytest.raises(ValueError, match="one of each at least"):
        laddered(use_of([MACHINE]), 1, prices, 0, [100])
    with pytest.raises(ValueError, match="none below zero"):
        laddered(use_of([MACHINE]), 1, prices, 12, [-1])
