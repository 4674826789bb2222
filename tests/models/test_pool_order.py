"""Pools that feed pools: who carries them in the end, and which of them empties first."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pool_order import layers, without_circles


def test_two_service_departments_that_serve_each_other_are_solved_together() -> None:
    shares = {
        "pool:it": {"team:a": 40, "team:b": 50, "pool:hr": 10},
        "pool:hr": {"team:a": 30, "team:b": 50, "pool:it": 20},
    }
    # it = (.4, .5) + .1 hr and hr = (.3, .5) + .2 it: it = (.43, .55)/.98, hr = (.38, .60)/.98
    assert without_circles(shares) == {
        "pool:it": {"team:a": 43, "team:b": 55},
        "pool:hr": {"team:a": 19, "team:b": 30},
    }


def test_a_pool_that_keeps_a_part_for_itself_gives_it_away_like_the_rest() -> None:
    assert without_circles({"pool:x": {"pool:x": 50, "team:a": 10, "team:b": 40}}) == {
        "pool:x": {"team:a": 1, "team:b": 4}
    }


def test_a_circle_may_leave_by_another_pool() -> None:
    shares = {
        "pool:x": {"pool:y": 1},
        "pool:y": {"pool:x": 1, "pool:z": 1, "team:a": 2},
        "pool:z": {"team:b": 1},
    }
    solved = without_circles(shares)
    # what leaves the circle of x and y leaves it at y, a third to z
    assert solved == {
        "pool:x": {"pool:z": 1, "team:a": 2},
        "pool:y": {"pool:z": 1, "team:a": 2},
        "pool:z": {"team:b": 1},
    }
    assert layers(["pool:z", "pool:y", "pool:x", "pool:even"], solved) == [
        ["pool:even", "pool:x", "pool:y"],
        ["pool:z"],
    ]


def test_pools_that_nobody_outside_carries_are_named() -> None:
    shares = {"pool:x": {"pool:y": 1}, "pool:y": {"pool:x": 1, "team:a": 0}, "pool:z": {"team:a": 1}}
    with pytest.raises(ValueError, match="pools pool:x, pool:y feed only one another"):
        without_circles(shares)


def test_a_chain_empties_from_its_start() -> None:
    shares = {"pool:c": {"team:a": 1}, "pool:a": {"pool:b": 1, "pool:c": 1}, "pool:b": {"pool:c": 1}}
    assert layers(list(shares), without_circles(shares)) == [["pool:a"], ["pool:b"], ["pool:c"]]


POOLS = ["pool:1", "pool:2", "pool:3", "pool:4"]
TEAMS = ["team:a", "team:b"]
WEIGHTS = st.fixed_dictionaries({account: st.integers(0, 9) for account in [*POOLS, *TEAMS]})


@given(st.fixed_dictionaries(dict.fromkeys(POOLS, WEIGHTS)), st.sampled_from(TEAMS))
def test_each_pool_carries_its_own_shares_and_its_part_of_what_it_feeds(
    shares: dict[str, dict[str, int]], exit_of_all: str
) -> None:
    open_ended = {pool: fed | {exit_of_all: fed[exit_of_all] + 1} for pool, fed in shares.items()}
    solved = without_circles(open_ended)
    order = layers(POOLS, solved)
    carried: dict[str, dict[str, Fraction]] = {}
    for pool in [pool for layer in reversed(order) for pool in layer]:
        whole = sum(solved[pool].values())
        carried[pool] = dict.fromkeys(TEAMS, Fraction(0))
        for to, weight in solved[pool].items():
            for team in TEAMS:
                part = carried[to][team] if to in carried else Fraction(to == team)
                carried[pool][team] += Fraction(weight, whole) * part
    for pool, fed in open_ended.items():
        whole = sum(fed.values())
        for team in TEAMS:
            through = sum(Fraction(fed[other], whole) * carried[other][team] for other in POOLS)
            assert carried[pool][team] == Fraction(fed[team], whole) + through
