"""The level to commit to, against brute force over all levels and cases that are worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.commitment_level import USE_SCALE, best_level, is_falling, level_cost, regret, use_of

MACHINE = USE_SCALE


def by_force(hourly: list[int], committed: Fraction, on_demand: Fraction) -> int:
    """The cheapest level, tried one by one, each hour added up in plain fractions."""
    costs = [
        sum(committed * level + on_demand * max(Fraction(used, MACHINE) - level, Fraction(0)) for used in hourly)
        for level in range(max(hourly) // MACHINE + 2)
    ]
    return costs.index(min(costs))


prices = st.fractions(min_value=Fraction(1, 100), max_value=10, max_denominator=100)
hours = st.lists(st.integers(0, 6 * MACHINE), min_size=1, max_size=30)


@given(hours, prices, prices)
def test_the_level_is_the_one_that_trying_all_finds(
    hourly: list[int], committed: Fraction, on_demand: Fraction
) -> None:
    assert best_level(use_of(hourly), committed, on_demand) == by_force(hourly, committed, on_demand)


@given(hours, prices, prices, prices)
def test_a_dearer_commitment_is_never_larger(hourly: list[int], one: Fraction, other: Fraction, paid: Fraction) -> None:
    low, high = sorted((one, other))
    assert best_level(use_of(hourly), low, paid) >= best_level(use_of(hourly), high, paid)


def test_a_machine_that_runs_half_of_the_time_pays_below_half_of_the_price() -> None:
    use = use_of([2 * MACHINE, MACHINE] * 12)  # the first runs always, the second every other hour
    on_demand = Fraction(4)
    assert best_level(use, Fraction(199, 100), on_demand) == 2
    assert best_level(use, Fraction(2), on_demand) == 1  # as dear either way: nothing is bound for nothing
    assert best_level(use, Fraction(5), on_demand) == 0


def test_half_an_hour_s_use_is_half_a_machine() -> None:
    use = use_of([MACHINE // 2] * 24)
    assert best_level(use, Fraction(1), Fraction(3)) == 1  # 24 against 36
    assert best_level(use, Fraction(2), Fraction(3)) == 0  # 48 against 36
    assert level_cost(use, 1, Fraction(1), Fraction(3)) == 24
    assert level_cost(use, 0, Fraction(1), Fraction(3)) == 36


def test_no_use_is_no_commitment() -> None:
    assert best_level(use_of([0] * 48), Fraction(1, 100), Fraction(1)) == 0
    assert best_level(use_of([]), Fraction(1, 100), Fraction(1)) == 0


def test_regret_is_what_the_best_level_of_other_use_would_save() -> None:
    use = use_of([10 * MACHINE] * 100)
    committed, on_demand = Fraction(1), Fraction(2)
    # 30 % less use: seven machines would do, three are paid for nothing in each of a hundred hours
    assert regret(use, 10, 70, committed, on_demand) == 300
    # 20 % more use: two machines more are paid at 2 instead of 1
    assert regret(use, 10, 120, committed, on_demand) == 200
    assert regret(use, 10, 100, committed, on_demand) == 0


@given(hours, prices, prices, st.sampled_from([70, 85, 100, 115]), st.integers(0, 8))
def test_regret_is_never_negative(
    hourly: list[int], committed: Fraction, on_demand: Fraction, percent: int, level: int
) -> None:
    assert regret(use_of(hourly), level, percent, committed, on_demand) >= 0


def test_a_season_of_a_year_at_four_discounts() -> None:
    """A day's and a week's rhythm over 8,760 hours: the share of hours above the level is the price's ratio."""
    hour = np.arange(8760)
    use = use_of(
        np.round((50 + 20 * np.sin(hour * 2 * np.pi / 24) + 10 * np.sin(hour * 2 * np.pi / 168)) * MACHINE).astype(int)
    )
    for discount in (15, 30, 45, 60):
        level = best_level(use, Fraction(100 - discount, 100), Fraction(1))
        reached = Fraction(int((use >= level * MACHINE).sum()), 8760)
        above = Fraction(int((use >= (level + 1) * MACHINE).sum()), 8760)
        assert above <= Fraction(100 - discount, 100) <= reached + Fraction(1, 50)
        costs = [level_cost(use, k, Fraction(100 - discount, 100), Fraction(1)) for k in range(90)]
        assert level == costs.index(min(costs))


def test_prices_and_use_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="expected above zero"):
        best_level(use_of([1]), Fraction(1), Fraction(0))
    with pytest.raises(ValueError, match="expected none or more"):
        use_of([-1])


def test_a_trend_downwards_is_told_from_noise() -> None:
    assert is_falling([10, 9, 8, 7, 6, 5])  # fifteen pairs of fifteen fall: p = 0.004
    assert not is_falling([5, 6, 7, 8, 9, 10])
    assert not is_falling([5, 5, 5, 5, 5])
    assert not is_falling([10, 9, 8])
    # of fifteen pairs twelve fall and three rise: S = -9, variance 85/3, z = -8 / 5.323 = -1.503, p = 0.066
    assert not is_falling([10, 7, 9, 6, 8, 5])
    assert is_falling([10, 7, 9, 6, 8, 5], significance=0.07)
