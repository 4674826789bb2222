"""What share of a group's cost shorter answers, shorter prompts and the provider's prompt cache would save.

The cache is the better of the two that providers sell, of five minutes or of an hour, over the whole month; one that is
written more often than read saves nothing and is no lever.

Here belongs: shares from a month's `request_shapes`. Here does not belong: their replay, which is SQL.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import polars as pl

from models.cheaper_places import Group, Prices, Used, short

SHAPE_LEVERS: Mapping[str, str] = {
    "output_cap": "long_output_cost_usd",
    "prompt_bloat": "long_prompt_cost_usd",
    "long_context": "long_context_cost_usd",
}
"""By lever, what of the cost it concerns."""
PROMPT_CACHE = "prompt_cache"
_CACHES = ("cache_5m_saving_usd", "cache_1h_saving_usd")
_UNPROVEN: Mapping[str, str] = {
    "unpriced_cache_cost_usd": "no_cache_price",
    "cached_by_itself_cost_usd": "cached_by_itself",
}
"""What of the cost the replay can say nothing of, and why."""
_GROUP = ("account", "feature", "provider_id", "model_id")


def shape_shares(
    shapes: pl.DataFrame, repeated: Mapping[Group, Decimal]
) -> tuple[dict[Group, dict[str, Fraction]], dict[Group, dict[str, Decimal]]]:
    """By group, the share that each lever takes of its answered attempts' cost; and what is unproven, by reason.

    Args:
        shapes: a month's rows of `request_shapes`, with their `account`.
        repeated: by group, what of it repeats cost: the replay leaves them out, so its share is of the rest.
    """
    columns = ["priced_cost_usd", *SHAPE_LEVERS.values(), *_CACHES, *_UNPROVEN]
    shares: dict[Group, dict[str, Fraction]] = {}
    unproven: dict[Group, dict[str, Decimal]] = {}
    for row in shapes.group_by(_GROUP).agg(pl.col(columns)).sort(_GROUP).iter_rows(named=True):
        group: Group = (row["account"], row["feature"], row["provider_id"], row["model_id"])
        sums = {name: sum(row[name], Decimal(0)) for name in columns}
        amounts = {lever: sums[column] for lever, column in SHAPE_LEVERS.items()}
        amounts[PROMPT_CACHE] = max(sums[name] for name in _CACHES)
        cost = dict.fromkeys(SHAPE_LEVERS, Fraction(sums["priced_cost_usd"]))
        cost[PROMPT_CACHE] = Fraction(sums["priced_cost_usd"] - repeated.get(group, Decimal(0)))
        shares[group] = {
            name: short(Fraction(amount) / cost[name]) for name, amount in amounts.items() if cost[name] > 0 < amount
        }
        unproven[group] = {reason: sums[column] for column, reason in _UNPROVEN.items() if sums[column]}
    return shares, unproven


def cached_saving(used: Iterable[Used], prices: Prices) -> dict[str, Fraction]:
    """By account, what the provider's prompt cache saves already, at the month's mean prices.

    Reads below the price of fresh input, less writes above it; what has no price of fresh input is left out.
    """
    found: dict[str, Fraction] = {}
    for one in used:
        price = prices.get(one.place, {})
        fresh = price.get("input_uncached")
        if fresh is None:
            continue
        for name in ("cache_read", "cache_write_5m", "cache_write_1h"):
            if one.tokens[name] and name in price:
                found[one.account] = found.get(one.account, Fraction(0)) + one.tokens[name] * (fresh - price[name])
    return found
