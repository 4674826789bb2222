"""Which of a provider's accounts and keys the gateway's log speaks of, found by what they used.

A log does not name the provider's keys. An account or key is the gateway's when at least half of its tokens have a
counterpart in the log, by model over the whole time and by model and day; what is found takes its tokens out of the
log before the next, smaller one is looked at. All others bypass the gateway.

Here belongs: telling the two apart. Here does not belong: what the difference costs.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TypeVar

U = TypeVar("U", bound=Hashable)
M = TypeVar("M", bound=Hashable)
D = TypeVar("D", bound=Hashable)
K = TypeVar("K", bound=Hashable)

LEAST_SHARE = 0.5
"""Share of a unit's tokens that must be in the log."""


def in_the_log(used: Mapping[U, Mapping[tuple[M, D], int]], logged: Mapping[tuple[M, D], int]) -> set[U]:
    """The units whose use is in the log.

    Args:
        used: tokens by unit, and within it by model and day.
        logged: tokens in the log by model and day, without what was logged twice.
    """
    rest_by_day = Counter(logged)
    rest_by_model = _by_model(logged)
    found: set[U] = set()
    for unit in sorted(used, key=lambda unit: (-sum(used[unit].values()), repr(unit))):
        by_day, by_model = used[unit], _by_model(used[unit])
        shares = _share(by_day, rest_by_day), _share(by_model, rest_by_model)
        if min(shares) >= LEAST_SHARE:
            found.add(unit)
            rest_by_day.subtract(by_day)
            rest_by_model.subtract(by_model)
    return found


def _by_model(tokens: Mapping[tuple[M, D], int]) -> Counter[M]:
    found: Counter[M] = Counter()
    for (model, _), count in tokens.items():
        found[model] += count
    return found


def _share(used: Mapping[K, int], rest: Mapping[K, int]) -> float:
    total = sum(used.values())
    matched = sum(min(count, max(0, rest.get(cell, 0))) for cell, count in used.items())
    return matched / total if total else 0.0
