"""Closed forms of retries, people and agents, against numbers worked out by hand and against enumeration."""

from fractions import Fraction
from itertools import product

import pytest

from models.unit_economics import (
    agent_input_tokens,
    break_even_success_ratio,
    capped_retries,
    context_growth_ratio,
    cost_per_success_of_retries,
    cost_with_people,
)


def test_half_of_the_attempts_succeed_so_a_success_costs_two() -> None:
    assert cost_per_success_of_retries(Fraction(1), Fraction(1), Fraction(1, 2)) == 2
    assert (
        cost_per_success_of_retries(Fraction(3), Fraction(1), Fraction(1, 4)) == 6
    )  # three failures at 1 and a success at 3
    assert cost_per_success_of_retries(Fraction(3), Fraction(1), Fraction(1)) == 3


def test_three_attempts_at_a_half_cost_one_and_three_quarters_and_two_a_success() -> None:
    cost, succeeds = capped_retries(Fraction(1), Fraction(1, 2), 3)
    assert (cost, succeeds, cost / succeeds) == (Fraction(7, 4), Fraction(7, 8), 2)


@pytest.mark.parametrize("most", [1, 2, 5])
def test_capped_retries_are_what_counting_every_course_of_events_gives(most: int) -> None:
    p, cost, chance = Fraction(1, 3), Fraction(0), Fraction(0)
    for course in product((True, False), repeat=most):
        weight = Fraction(1)
        for succeeds in course:
            weight *= p if succeeds else 1 - p
        tried = course.index(True) + 1 if any(course) else most
        cost += weight * tried
        chance += weight * any(course)
    assert capped_retries(Fraction(1), p, most) == (cost, chance)


def test_people_finish_what_the_machine_does_not_and_it_pays_from_the_ratio_of_costs_on() -> None:
    assert cost_with_people(Fraction(1, 10), Fraction(5), Fraction(4, 5)) == Fraction(11, 10)
    even = break_even_success_ratio(Fraction(1, 10), Fraction(5))
    assert even == Fraction(1, 50)
    assert cost_with_people(Fraction(1, 10), Fraction(5), even) == 5


def test_ten_steps_that_grow_by_500_from_1000_are_32_500_tokens_of_which_22_500_are_growth() -> None:
    assert agent_input_tokens(10, 1000, 500) == sum(1000 + 500 * step for step in range(10)) == 32_500
    assert context_growth_ratio(10, 1000, 500) == Fraction(22_500, 32_500)


@pytest.mark.parametrize("ratio", [Fraction(0), Fraction(-1, 2), Fraction(3, 2)])
def test_a_ratio_that_is_none_is_refused(ratio: Fraction) -> None:
    with pytest.raises(ValueError, match="success ratio"):
        cost_per_success_of_retries(Fraction(1), Fraction(1), ratio)
    with pytest.raises(ValueError, match="neither may be zero"):
        capped_retries(Fraction(1), ratio, 3)
    with pytest.raises(ValueError, match="more than zero"):
        break_even_success_ratio(Fraction(1), Fraction(0))
