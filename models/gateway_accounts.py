"""Which of a provider's accounts and keys the gateway's log speaks of, found by what they used.

A log does not name the provider's keys. An account or key is the gateway's when, of the days on which the log has
anything, at least half of its tokens have a counterpart there, by model over all of them and by model and day; what is
found takes its tokens out of the log before the next, smaller one is looked at. All others bypass the gateway.

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
    days = {day for (_, day), count in logged.items() if count}
    used = {unit: {cell: count for cell, count in cells.items() if cell[1] in days} for unit, cells in used.items()}
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


def most_alike(used: Mapping[U, Mapping[tuple[M, D], int]], logged: Mapping[tuple[M, D], int]) -> set[U]:
    """The one unit that shares most tokens with the log, by model: none where no model is on both sides.

    For a log of which nobody's half is there: its tokens were somebody's.
    """
    by_model = _by_model(logged)
    shared = {unit: sum(_shared(_by_model(cells), by_model).values()) for unit, cells in used.items()}
    alike = [unit for unit, tokens in shared.items() if tokens]
    return {min(alike, key=lambda unit: (-shared[unit], repr(unit)))} if alike else set()


def _shared(used: Mapping[K, int], logged: Mapping[K, int]) -> Counter[K]:
    return Counter({cell: min(count, max(0, logged.get(cell, 0))) for cell, count in used.items()})


def _by_model(tokens: Mapping[tuple[M, D], int]) -> Counter[M]:
    found: Counter[M] = Counter()
    for (model, _), count in tokens.items():
        found[model] += count
    return found


def _share(used: Mapping[K, int], rest: Mapping[K, int]) -> float:
    total = sum(used.values())
    return sum(_shared(used, rest).values()) / total if total else 0.0
