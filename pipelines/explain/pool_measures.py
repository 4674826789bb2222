"""What the weights of a shared pool count, for a reader, and how many units of the twelfth decimal one of them is.

Here belongs: the unit of a pool's measure. Here does not belong: the weights (`models.pool_moves`).
"""

from collections.abc import Mapping, Sequence

from models.money import SCALE
from models.pool_order import without_circles
from models.pools import Pool, Split
from models.usage_weights import whole_weights

_METRIC_DECIMALS = 9  # of `pool_metrics.weight`


def measure(pool: Pool, pools: Sequence[Pool]) -> tuple[str, int]:
    """What a weight of the pool counts, and how many units of the twelfth decimal one of its whole weights is."""
    one = 10**SCALE
    if pool.split in (Split.EVEN, Split.FIXED):
        stated = {each.account: each.shares for each in pools if each.shares}
        is_solved = without_circles(stated)[pool.account] != {to: n for to, n in pool.shares.items() if n}
        return f"parts, {pool.split.value}{_system(pool.account, stated) if is_solved else ''}", one
    if pool.split is Split.WEIGHTED_TOKENS:
        name, weight = next((name, weight) for name, weight in pool.token_weights.items() if weight)
        return f"weighted tokens of {pool.model_id}", int(weight * one / whole_weights(pool)[name])
    return {
        Split.DIRECT_COST: ("direct cost, in the bill's currency", 1),
        Split.PRICED_TOKENS: ("USD logged, at the price book", 1),
        Split.GPU_SECONDS: ("GPU seconds", one),
        Split.METRIC: (f"{pool.metric_id}, summed over the days", 10 ** (SCALE - _METRIC_DECIMALS)),
    }[pool.split]


def _system(account: str, stated: Mapping[str, Mapping[str, int]]) -> str:
    """Pools that feed one another, with the shares by which they are solved."""
    ahead, found = [account], [account]
    while ahead:
        fed = [to for to, weight in stated[ahead.pop()].items() if weight and to in stated and to not in found]
        found += fed
        ahead += fed
    given = [
        f"{pool} gives {', '.join(f'{weight} to {to}' for to, weight in stated[pool].items() if weight)}"
        for pool in found
    ]
    return f", solved exactly of pools that feed one another ({'; '.join(given)})"
