"""Units of provisioned throughput: held against trying all numbers, and worked out by hand."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.provisioned import UnitTerms, best_units, demand_of, units_cost

GPT = UnitTerms(3_000, Fraction(4), Fraction(0), fewest=15, step=5)
ONE = UnitTerms(100, Fraction(4), Fraction(0), fewest=1, step=1)


def by_force(
    terms: UnitTerms, counts: list[tuple[int, int, int]], minutes: int, unit: Fraction, token: Fraction
) -> int:
    """The cheapest number that is sold, tried one by one, each minute added up in plain fractions."""
    weighed = [fresh + terms.output_weight * out + terms.cached_weight * hits for fresh, hits, out in counts]
    most = max(weighed, default=Fraction(0))
    sold = [0, terms.fewest]
    while sold[-1] * terms.tokens_per_minute < most:
        sold.append(sold[-1] + terms.step)
    costs = {
        units: units * unit / 60 * minutes
        + token * sum((max(one - units * terms.tokens_per_minute, Fraction(0)) for one in weighed), Fraction(0))
        for units in sold
    }
    return min(costs, key=lambda number: (costs[number], number))


terms = st.builds(
    UnitTerms,
    st.integers(1, 50),
    st.sampled_from([Fraction(3), Fraction(4), Fraction(8), Fraction(5, 2)]),
    st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1)]),
    st.integers(1, 20),
    st.integers(1, 10),
)
count = st.integers(0, 200)
prices = st.fractions(0, 10, max_denominator=50)


@given(terms, st.lists(st.tuples(count, count, count), max_size=12), st.integers(0, 20), prices, prices)
def test_the_number_is_the_one_that_trying_all_finds(
    terms: UnitTerms, counts: list[tuple[int, int, int]], idle: int, unit: Fraction, token: Fraction
) -> None:
    demand = demand_of(terms, counts, len(counts) + idle)
    assert best_units(demand, unit, token) == by_force(terms, counts, len(counts) + idle, unit, token)


def test_thirty_units_serve_ninety_thousand_tokens_of_which_an_output_token_is_four() -> None:
    full = demand_of(GPT, [(50_000, 7_000, 10_000)], 60)  # 50,000 + 4 x 10,000; cached ones are not counted
    assert full.tokens == 90_000
    assert full.spill(30) == 0
    assert full.spill(25) == 15_000


def test_hours_would_hide_what_minutes_spill() -> None:
    """A minute of 6,000 tokens in every hour: one unit of 100 a minute carries the mean, and spills nearly all of it."""
    minutes = demand_of(ONE, [(6_000, 0, 0)] * 24, 24 * 60)
    assert minutes.spill(1) == 24 * 5_900
    even = demand_of(ONE, [(100, 0, 0)] * (24 * 60), 24 * 60)
    assert (even.tokens, even.spill(1)) == (minutes.tokens, 0)
    # a unit at 60 an hour costs 1 a minute; a token 0.05: even demand is worth 5 a minute, the burst 5 an hour
    assert best_units(even, Fraction(60), Fraction(1, 20)) == 1
    assert best_units(minutes, Fraction(60), Fraction(1, 20)) == 0


def test_what_is_as_dear_either_way_is_not_bought_and_fewest_is_all_or_nothing() -> None:
    always = demand_of(ONE, [(100, 0, 0)] * 60, 60)
    assert best_units(always, Fraction(60), Fraction(1, 100)) == 0
    assert best_units(always, Fraction(59), Fraction(1, 100)) == 1
    assert units_cost(always, 1, Fraction(59), Fraction(1, 100)) == 59
    assert units_cost(always, 0, Fraction(59), Fraction(1, 100)) == 60
    large = UnitTerms(100, Fraction(4), Fraction(0), fewest=15, step=5)
    # fifteen at 4 an hour would carry what one token at 0.01 asks 60 for: as dear
    assert best_units(demand_of(large, [(100, 0, 0)] * 60, 60), Fraction(4), Fraction(1, 100)) == 0
    assert best_units(demand_of(large, [(100, 0, 0)] * 60, 60), Fraction(39, 10), Fraction(1, 100)) == 15


def test_nothing_asked_is_nothing_bought_and_nonsense_is_refused() -> None:
    assert best_units(demand_of(GPT, [], 60), Fraction(0), Fraction(1)) == 0
    with pytest.raises(ValueError, match="minutes with tokens"):
        demand_of(GPT, [(1, 1, 1)], 0)
    with pytest.raises(ValueError, match="fewer tokens"):
        demand_of(GPT, [(-1, 1, 1)], 1)
    with pytest.raises(ValueError, match="none below zero"):
        best_units(demand_of(GPT, [(1, 1, 1)], 1), Fraction(-1), Fraction(1))
    with pytest.raises(ValueError, match="one at least"):
        UnitTerms(0, Fraction(1), Fraction(0), 1, 1)
    with pytest.raises(ValueError, match="from 0 to 1"):
        UnitTerms(1, Fraction(1), Fraction(2), 1, 1)
