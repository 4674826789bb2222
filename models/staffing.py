"""How many replicas a load needs so that few requests wait: Erlang's C formula.

Source: Erlang 1917; the recursion through the B formula as in Cooper, Introduction to Queueing Theory, 2nd edition. A
replica counts as one server that is busy for as long as its requests take of it; engines that batch share their time
among requests, so that the formula is cautious about waiting and says nothing of a single answer's length.

Here belongs: servers for a load. Here does not belong: what a replica costs, how busy requests make it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

LARGEST_LOAD = 500.0
"""Beyond it servers grow as the load does: a larger fleet is a little busier, which is left out as caution."""


def waiting_probability(servers: int, load: float) -> float:
    """The probability that a request waits, at a load in erlangs (servers' worth of work); 1 where it never ends.

    Raises:
        ValueError: no server, or a negative load.
    """
    if servers < 1 or load < 0:
        raise ValueError(f"{servers} servers at {load} erlangs: expected one at least, and a load of none or more")
    if load >= servers:
        return 1.0
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - (load / servers) * (1 - blocked))


@cache
def _capacities(most_waiting: float, servers: int) -> NDArray[np.float64]:
    """The largest load that 1, 2, ... servers carry, found by halving to a ten-millionth."""
    return np.array([_capacity(count, most_waiting) for count in range(1, servers + 1)])


def _capacity(servers: int, most_waiting: float) -> float:
    low, high = 0.0, servers * 1.0
    while high - low > 1e-7 * servers:
        middle = (low + high) / 2
        if waiting_probability(servers, middle) <= most_waiting:
            low = middle
        else:
            high = middle
    return low


def servers_for(loads: NDArray[np.float64], *, most_waiting: float = 0.05) -> NDArray[np.int64]:
    """The fewest servers for each load at which no more than `most_waiting` of the requests wait; none for no load.

    Raises:
        ValueError: `most_waiting` is no probability, or a load is negative.
    """
    if not 0 < most_waiting < 1:
        raise ValueError(f"{most_waiting} of the requests may wait: expected a share between 0 and 1")
    if loads.size == 0:
        return np.zeros(0, dtype=np.int64)
    if loads.min() < 0:
        raise ValueError(f"a load of {loads.min()} erlangs: expected none or more")
    inside = np.minimum(loads, LARGEST_LOAD)
    table = 64
    while _capacities(most_waiting, table)[-1] < inside.max():
        table *= 2
    found = np.searchsorted(_capacities(most_waiting, table), inside, side="left") + 1
    grown = np.ceil(found * np.maximum(loads / LARGEST_LOAD, 1.0))
    return np.where(loads > 0, grown, 0).astype(np.int64)
