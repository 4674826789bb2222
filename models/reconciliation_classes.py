"""Which of the input that bill and log have in different classes was confused, and which is missing.

Here belongs: the classes of one model's input on one day. Here does not belong: other causes, prices.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from models.reconciliation_sides import INPUT_CLASSES, ZERO, Key

_LEAST_CONFUSED = 2
"""Calls are missing in all classes of their input only where at least one half as much as they have was confused:
else one class that has a little too much says nothing about the others."""


class Confused(NamedTuple):
    """What moved between the classes of the same input, summing to nothing."""

    tokens: Mapping[Key, Decimal]
    evidence: str = "same input on both sides, in other classes"


def confused_classes(rest: Mapping[Key, Decimal], billed: Mapping[Key, Decimal]) -> Confused:
    """As much as one class of the input lacks and others have too much of.

    The side that is smaller in all is taken whole, the other one in proportion, so that it sums to nothing. Where the
    output says that calls are missing, the input that they had is first taken out, in the bill's proportions.

    Args:
        rest: tokens that are billed and not logged, or logged and not billed (negative), of one model and day.
        billed: billed tokens.
    """
    inputs = {key: tokens for key, tokens in rest.items() if key.token_class in INPUT_CLASSES}
    above = sum((tokens for tokens in inputs.values() if tokens > 0), ZERO)
    below = -sum((tokens for tokens in inputs.values() if tokens < 0), ZERO)
    if not above or not below:
        return Confused({})
    missing = above - below
    output = sum((tokens for key, tokens in rest.items() if key not in inputs), ZERO)
    if missing > 0 and output > 0 and below * _LEAST_CONFUSED >= missing:
        lost = _in_proportion({key: billed[key] for key in inputs}, missing)
        return Confused(
            {key: tokens - lost[key] for key, tokens in inputs.items()},
            "same input on both sides, in other classes; an estimate: missing calls have the bill's classes",
        )
    inputs = {key: tokens for key, tokens in inputs.items() if tokens}
    if not missing:
        return Confused(inputs)
    larger = {key: tokens for key, tokens in inputs.items() if (tokens > 0) == (missing > 0)}
    smaller = {key: tokens for key, tokens in inputs.items() if key not in larger}
    return Confused(smaller | _in_proportion(larger, -sum(smaller.values(), ZERO)))


def _in_proportion(tokens: Mapping[Key, Decimal], target: Decimal) -> dict[Key, Decimal]:
    """A target over cells by their size, in whole tokens; the largest takes what is left over."""
    total = sum(tokens.values(), ZERO)
    shares = {key: (count * target / total).to_integral_value() for key, count in tokens.items()}
    largest = max(tokens, key=lambda key: (abs(tokens[key]), key))
    shares[largest] += target - sum(shares.values(), ZERO)
    return shares
