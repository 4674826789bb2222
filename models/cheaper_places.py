"""The same tokens at prices that the company paid elsewhere in the month.

Elsewhere is another region or provider, or another model that the same team uses for the same feature. Only places and
models that the company already buys from are looked at, at the month's mean prices there: what others ask, its
contracts do not say. A place counts only if it has a price for every class of tokens in use.

Here belongs: what share of a kind of usage's cost another place would save. Here does not belong: whether it may move.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from models.tokens import TOKEN_CLASSES

Place = tuple[str, str, str, str]
"""Provider, model, tier and region of the price."""
Group = tuple[str, str, str, str]
"""Account, feature, provider and model."""

LEAST_REQUESTS_RATIO = Fraction(1, 20)
"""Of a feature's requests: a model that answers fewer of them was tried, not used."""
_SHARE_DIGITS = 9  # of a share, always down: exact sums of many cells stay short
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Used:
    """What an account used of one place for one feature in a month."""

    account: str
    feature: str
    place: Place
    requests: int
    tokens: Mapping[str, int]

    @property
    def group(self) -> Group:
        """Whose share it counts to."""
        return self.account, self.feature, self.place[0], self.place[1]


Prices = Mapping[Place, Mapping[str, Fraction]]


def mean_prices(hourly: pl.DataFrame) -> Prices:
    """A month's mean price of a token of each class at each place, by the tokens that were bought at it, in USD."""
    found: dict[Place, dict[str, Fraction]] = defaultdict(dict)
    keys = ["provider_id", "model_id", "service_tier", "price_region_id"]
    for name in TOKEN_CLASSES:
        price, tokens = f"{name}_usd_per_token", f"{name}_tokens"
        known = hourly.filter(pl.col(price).is_not_null(), pl.col(tokens) > 0)
        weighed: dict[Place, list[Fraction]] = defaultdict(lambda: [_ZERO, _ZERO])
        for *place, each, count in known.group_by(*keys, price).agg(pl.col(tokens).sum()).sort(pl.all()).iter_rows():
            provider, model, tier, region = place
            weighed[provider, model, tier, region][0] += Fraction(each) * count
            weighed[provider, model, tier, region][1] += count
        for place, (cost, count) in weighed.items():
            found[place][name] = cost / count
    return found


def place_shares(used: Iterable[Used], prices: Prices) -> dict[Group, Fraction]:
    """The share of each group's cost that the cheapest other place of the same model and tier would save."""
    by_model = _places(prices)
    return _shares(used, prices, lambda one: by_model[one.place[1], one.place[2]])


def _places(prices: Prices) -> dict[tuple[str, str], list[Place]]:
    """By model and tier, where the company buys it."""
    by_model: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place in sorted(prices):
        by_model[place[1], place[2]].append(place)
    return by_model


def model_shares(used: Iterable[Used], prices: Prices) -> tuple[dict[Group, Fraction], frozenset[Group]]:
    """The share that the cheapest other model of the same account, feature and tier would save, and what has no other.

    Tokens are taken to be as many with the other model. A request without a feature is compared with nothing.
    """
    told = list(used)
    others = _other_models(told)
    alone = frozenset(one.group for one in told) - {one.group for one in told if others(one)}
    return _shares(told, prices, others), alone


def without_overlap(
    used: Iterable[Used], prices: Prices, place: Mapping[Group, Fraction], model: Mapping[Group, Fraction]
) -> dict[Group, Fraction]:
    """The shares of `model_shares`, of what another place leaves: both together cost no less than the cheapest on sale.

    On sale are the group's own model and the other models of `model_shares`, wherever the company buys them. Without
    the bound two ways to the same cheap token would be multiplied: (1 - place) (1 - model) of the cost buys nothing.
    """
    told = list(used)
    others, by_model = _other_models(told), _places(prices)

    def on_sale(one: Used) -> list[Place]:
        models = {one.place[1], *(place[1] for place in others(one))}
        return [place for name in sorted(models) for place in by_model[name, one.place[2]]]

    most = _shares(told, prices, on_sale)
    found = {group: _left(share, place.get(group, _ZERO), most.get(group, _ZERO)) for group, share in model.items()}
    return {group: share for group, share in found.items() if share}


def _left(share: Fraction, taken: Fraction, most: Fraction) -> Fraction:
    """A share of what another lever leaves, where both together take no more than `most`."""
    return min(share, short(1 - (1 - most) / (1 - taken))) if taken < 1 else _ZERO


def _other_models(told: Iterable[Used]) -> Callable[[Used], list[Place]]:
    """By usage, the places of the other models that its account uses for its feature, and not only tried."""
    count: dict[tuple[str, str], int] = defaultdict(int)
    of_model: dict[tuple[str, str, str], int] = defaultdict(int)
    places: dict[tuple[str, str, str], set[Place]] = defaultdict(set)
    for one in told:
        count[one.account, one.feature] += one.requests
        of_model[one.account, one.feature, one.place[1]] += one.requests
        places[one.account, one.feature, one.place[2]].add(one.place)

    def others(one: Used) -> list[Place]:
        least = LEAST_REQUESTS_RATIO * count[one.account, one.feature]
        beside = places[one.account, one.feature, one.place[2]] if one.feature else set[Place]()
        return sorted(p for p in beside if p[1] != one.place[1] and of_model[one.account, one.feature, p[1]] >= least)

    return others


def _shares(used: Iterable[Used], prices: Prices, others: Callable[[Used], list[Place]]) -> dict[Group, Fraction]:
    cost: dict[Group, Fraction] = defaultdict(Fraction)
    saved: dict[Group, Fraction] = defaultdict(Fraction)
    for one in used:
        here = _cost(one.tokens, prices.get(one.place, {}))
        if not here:
            continue
        cost[one.group] += here
        elsewhere = [_cost(one.tokens, prices[place]) for place in others(one) if place != one.place]
        best = min((found for found in elsewhere if found is not None), default=here)
        saved[one.group] += max(here - best, _ZERO)  # who is cheapest already stays
    return {group: share for group, all_of_it in cost.items() if (share := short(saved[group] / all_of_it))}


def short(share: Fraction) -> Fraction:
    """A share to nine digits, down."""
    return Fraction(share * 10**_SHARE_DIGITS // 1, 10**_SHARE_DIGITS)


def _cost(tokens: Mapping[str, int], prices: Mapping[str, Fraction]) -> Fraction | None:
    """What tokens cost at prices; None where a class in use has none."""
    used = {name: count for name, count in tokens.items() if count}
    if not used.keys() <= prices.keys():
        return None
    return sum((prices[name] * count for name, count in used.items()), _ZERO)
