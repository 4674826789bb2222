"""Why a month cost more or less than the one before: volume, mix, tokens a request, cache rate, price, and the rest.

Metered cost is requests x a model's share of them x tokens a request x classes of tokens x what each costs. The factors
change one by one, in that order, what comes later still being that of the month before; price is what is left, so that
the parts are the whole change, exactly.

- volume: as many more requests at the month before's mean cost of each model
- mix: a model's share of the requests; a new model comes in at its own cost, one that is gone leaves with its own
- tokens_per_request: more or fewer input and output tokens in a request
- cache_rate: the classes of the same tokens: input from the cache, written to it or fresh; reasoning or text
- price: what the same tokens cost more or less: discounts, tiers, rates, the part of the bill that no log explains

Source: price-volume-mix analysis, extended to tokens; changed one by one, no joint term is left.

Here belongs: the arithmetic between two months. Here does not belong: which money is metered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from models.money import SCALE, amount_of

BRIDGE_RULES = "1"
"""Changes when the same months would give other parts."""

METERED = ("volume", "mix", "tokens_per_request", "cache_rate", "price")
GPUS = ("gpu_hours", "gpu_price")
BESIDE = ("shared", "adjustment", "other")
FACTORS = (*METERED, *GPUS, *BESIDE)

_ZERO = Fraction(0)


def is_output(token_class: str) -> bool:
    """Whether a class of tokens is generated."""
    return token_class.startswith("output_")


@dataclass(frozen=True)
class Month:
    """What one model's use by one account was and cost in a month.

    Attributes:
        cost: money that the account carries for it.
        requests: attempts that were logged, copies not counted.
        tokens: tokens of each class.
        prices: price of a token of each class, in any one currency: they weigh classes against one another.
    """

    cost: Fraction
    requests: int
    tokens: Mapping[str, int] = field(default_factory=dict[str, int])
    prices: Mapping[str, Fraction] = field(default_factory=dict[str, Fraction])


Parts = dict[tuple[str, str], Fraction]
"""The change by factor and model."""


def metered_parts(before: Mapping[str, Month], after: Mapping[str, Month]) -> Parts:
    """The change of the metered cost of an account's models, by factor and model; the parts are the whole change.

    A month without a request has nothing to compare: the change is volume then.
    """
    requests = [sum(month.requests for month in months.values()) for months in (before, after)]
    models = sorted({*before, *after})
    empty = Month(_ZERO, 0)
    if not all(requests):
        changes = {model: after.get(model, empty).cost - before.get(model, empty).cost for model in models}
        return {("volume", model): change for model, change in changes.items()}
    growth = Fraction(requests[1], requests[0])
    parts: Parts = {}
    for model in models:
        was, now = before.get(model, empty), after.get(model, empty)
        for factor, change in _of_model(was, now, growth):
            parts[factor, model] = change
    return parts


def _of_model(was: Month, now: Month, growth: Fraction) -> Iterator[tuple[str, Fraction]]:
    """One model's parts; cost without a request in one of the months is a price of its own."""
    if not was.requests:
        yield "mix", now.cost if now.requests else _ZERO
        yield "price", -was.cost if now.requests else now.cost - was.cost
        return
    each = was.cost / was.requests
    yield "volume", (growth - 1) * was.cost
    yield "mix", (now.requests - growth * was.requests) * each
    if not now.requests:
        yield "price", now.cost
        return
    longer, classed = _request_costs(was, now)
    yield "tokens_per_request", now.requests * (longer - each)
    yield "cache_rate", now.requests * (classed - longer)
    yield "price", now.cost - now.requests * classed


def _request_costs(was: Month, now: Month) -> tuple[Fraction, Fraction]:
    """A request's cost at the old prices: with the new lengths and the old classes, and with both new."""
    weights = _weights(was, now)
    weighed = _weighed(was.tokens, weights)
    if not weighed:
        each = was.cost / was.requests
        return each, each
    rate = was.cost / weighed
    longer = _ZERO
    for side in (False, True):
        old = {name: count for name, count in was.tokens.items() if is_output(name) is side}
        new = {name: count for name, count in now.tokens.items() if is_output(name) is side}
        old_count, new_count = sum(old.values()), sum(new.values())
        same = _weighed(old, weights) * Fraction(new_count, old_count) if old_count else _weighed(new, weights)
        longer += same * rate / now.requests
    return longer, _weighed(now.tokens, weights) * rate / now.requests


def _weights(was: Month, now: Month) -> Mapping[str, Fraction]:
    """The old price of each class, the new one where the old month has none; alike where a used class has neither."""
    used = {name for month in (was, now) for name, count in month.tokens.items() if count}
    prices = {**now.prices, **was.prices}
    return {name: prices[name] for name in used} if used <= prices.keys() else dict.fromkeys(used, Fraction(1))


def _weighed(tokens: Mapping[str, int], weights: Mapping[str, Fraction]) -> Fraction:
    return sum((weights[name] * count for name, count in tokens.items() if count), _ZERO)


@dataclass(frozen=True)
class Gpus:
    """GPUs of one type in a month: seconds that were paid for, and their cost."""

    seconds: int
    cost: Fraction


def gpu_parts(before: Mapping[str, Gpus], after: Mapping[str, Gpus], change: Fraction) -> Parts:
    """More or fewer hours at each type's old price, a new type at its own; the rest of `change` is price."""
    hours = _ZERO
    none = Gpus(0, _ZERO)
    for name in sorted({*before, *after}):
        was, now = before.get(name, none), after.get(name, none)
        known = was if was.seconds else now
        hours += (now.seconds - was.seconds) * known.cost / known.seconds if known.seconds else _ZERO
    if not before or not after:
        hours = change
    return {("gpu_hours", ""): hours, ("gpu_price", ""): change - hours}


def rounded(parts: Parts, change: Decimal) -> dict[tuple[str, str], Decimal]:
    """The parts to the pico-unit, half even, and what rounding leaves of `change` with the last of them.

    Raises:
        ValueError: the parts are not the whole change.
    """
    whole = Fraction(change) * 10**SCALE
    if sum(parts.values(), _ZERO) * 10**SCALE != whole:
        raise ValueError(f"the parts come to {sum(parts.values(), _ZERO)}, not to the change of {change}")
    units = {key: round(part * 10**SCALE) for key, part in parts.items()}
    if units:
        units[next(reversed(units))] += int(whole) - sum(units.values())
    return {key: amount_of(value) for key, value in units.items() if value}
