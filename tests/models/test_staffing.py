"""Servers for a load, against published values and a plain sum of Erlang's series."""

from math import factorial

import numpy as np
import pytest

from models.staffing import servers_for, waiting_probability


def by_the_series(servers: int, load: float) -> float:
    """Erlang's C as it is written in textbooks."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (3, 2.0), (12, 10.0), (30, 25.5)])
def test_the_recursion_is_the_series(servers: int, load: float) -> None:
    assert waiting_probability(servers, load) == pytest.approx(by_the_series(servers, load), rel=1e-12)


def test_twelve_servers_at_ten_erlangs() -> None:
    assert waiting_probability(12, 10) == pytest.approx(0.4494, abs=5e-5)


def test_a_single_server_waits_as_often_as_it_is_busy() -> None:
    assert waiting_probability(1, 0.3) == pytest.approx(0.3)
    assert waiting_probability(2, 2) == 1


def test_small_fleets_cannot_be_busy() -> None:
    """At most one in twenty waits: the fewest servers, and how busy they then are."""
    loads = np.array([0.0, 2.0, 5.0, 10.0, 50.0])
    assert servers_for(loads).tolist() == [0, 6, 10, 17, 64]
    for load, servers in ((2.0, 6), (5.0, 10), (10.0, 17), (50.0, 64)):
        assert by_the_series(servers, load) <= 0.05 < by_the_series(servers - 1, load)


def test_fewer_that_wait_take_more_servers() -> None:
    """At most one in a hundred instead of one in twenty."""
    loads = (2.0, 5.0, 10.0, 50.0)
    assert servers_for(np.array(loads), most_waiting=0.01).tolist() == [7, 12, 19, 68]
    for load, servers in zip(loads, (7, 12, 19, 68), strict=True):
        assert by_the_series(servers, load) <= 0.01 < by_the_series(servers - 1, load)


def test_the_fewest_are_found_beyond_the_first_table() -> None:
    (servers,) = servers_for(np.array([400.0]), most_waiting=0.01).tolist()
    assert waiting_probability(servers, 400) <= 0.01 < waiting_probability(servers - 1, 400)


def test_beyond_the_formula_servers_grow_as_the_load_does() -> None:
    few, twice, many = servers_for(np.array([500.0, 1_000.0, 50_000.0])).tolist()
    assert waiting_probability(few, 500) <= 0.05 < waiting_probability(few - 1, 500)
    assert (twice, many) == (2 * few, 100 * few)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a share"):
        servers_for(np.array([1.0]), most_waiting=1.5)
    with pytest.raises(ValueError, match="expected none or more"):
        servers_for(np.array([-1.0]))
    with pytest.raises(ValueError, match="expected one at least"):
        waiting_probability(0, 1)
    assert servers_for(np.array([])).tolist() == []
