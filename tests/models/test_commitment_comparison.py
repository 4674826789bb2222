"""Levels held against one another: against plain sums over the hours, and worked out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.commitment_comparison import Prices, compared, ladder
from models.commitment_level import USE_SCALE, use_of

MACHINE = USE_SCALE


@given(
    st.lists(st.integers(0, 5 * MACHINE), min_size=1, max_size=20),
    st.integers(0, 6),
    st.fractions(Fraction(1, 100), 9, max_denominator=100),
    st.fractions(Fraction(1, 100), 9, max_denominator=100),
    st.sampled_from([0, 70, 100, 115, 250]),
)
def test_every_figure_is_what_adding_up_the_hours_gives(
    hourly: list[int], level: int, committed: Fraction, on_demand: Fraction, percent: int
) -> None:
    (found,) = compared(use_of(hourly), level, Prices(committed, on_demand), [percent])
    hours = [Fraction(used * percent // 100, MACHINE) for used in hourly]

    def cost(machines: int) -> Fraction:
        return sum(
            (committed * machines + on_demand * max(used - machines, Fraction(0)) for used in hours), Fraction(0)
        )

    every = [cost(machines) for machines in range(20)]
    assert (found.cost, found.on_demand_cost, found.best_cost) == (cost(level), cost(0), min(every))
    assert found.best == every.index(min(every))
    assert found.covered == sum((min(used, Fraction(level)) for used in hours), Fraction(0))
    assert found.saving - found.regret <= found.on_demand_cost - found.best_cost


def test_a_level_that_was_right_is_too_much_when_use_falls() -> None:
    """Ten machines always run; at 6 of 10 an hour, ten committed save 40 of 100; at 50 % they cost 60 against 50."""
    use = use_of([10 * MACHINE] * 24)
    now, half, more = compared(use, 10, Prices(Fraction(6), Fraction(10)), [100, 50, 120])
    assert (now.savings_rate, now.utilisation, now.coverage, now.regret) == (Fraction(2, 5), 1, 1, 0)
    assert (half.cost, half.on_demand_cost, half.saving) == (60 * 24, 50 * 24, -10 * 24)
    assert (half.best, half.regret, half.utilisation) == (5, 30 * 24, Fraction(1, 2))
    assert (more.coverage, more.best, more.regret) == (Fraction(10, 12), 12, 2 * 4 * 24)


def test_without_use_or_a_level_a_share_is_unknown_and_not_nothing() -> None:
    (found,) = compared(use_of([0, 0]), 0, Prices(Fraction(1), Fraction(2)), [100])
    assert (found.utilisation, found.coverage, found.savings_rate) == (None, None, None)


@given(st.integers(0, 500), st.integers(1, 12))
def test_a_ladder_ends_at_the_level_and_no_step_is_larger_than_its_share(level: int, months: int) -> None:
    held = ladder(level, months)
    assert (len(held), held[-1]) == (months, level)
    steps = [after - before for before, after in zip([0, *held], held, strict=False)]
    assert all(0 <= step <= -(-level // months) for step in steps)


def test_a_ladder_of_ten_in_quarters() -> None:
    assert ladder(10) == [3, 5, 8, 10]
    assert ladder(3) == [1, 2, 3, 3]
    with pytest.raises(ValueError, match="one month at least"):
        ladder(1, 0)
    with pytest.raises(ValueError, match="none below zero"):
        compared(use_of([1]), -1, Prices(Fraction(1), Fraction(2)), [100])
