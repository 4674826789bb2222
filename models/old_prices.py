"""By how much a day's prices differ from those that held last before a change: a provider's doing, not the change's.

Here belongs: the difference of a token's price by day, model, tier, region and class. Here does not belong: whose
tokens they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter

Bought = tuple[str, str, str, str]
"""Provider, model, tier and region of the price."""
Key = tuple[date, Bought, str]
"""The day, what was bought, and the class of tokens."""


@dataclass(frozen=True)
class Priced:
    """Tokens of a class at one price (USD a token), in or up to `hour`; `band` is the context band of the price."""

    hour: str
    day: date
    bought: Bought
    band: int
    token_class: str
    price: Decimal
    tokens: int


def price_changes(lines: Iterable[Priced], switched_on: date) -> Mapping[Key, Fraction]:
    """How much more a token cost on a day than at the last price before the change, in USD.

    The mean over context bands, by the day's tokens. What had no price before has no entry: its price is what it is.
    """
    old: dict[tuple[Bought, int, str], Decimal] = {}
    by_key: dict[Key, list[Priced]] = defaultdict(list)
    for line in sorted(lines, key=attrgetter("hour", "price")):
        if line.day < switched_on:
            old[line.bought, line.band, line.token_class] = line.price
        by_key[line.day, line.bought, line.token_class].append(line)
    found: dict[Key, Fraction] = {}
    for key, priced in by_key.items():
        tokens = sum(line.tokens for line in priced)
        more = Fraction(0)
        for line in priced:
            if dearer := line.price - old.get((line.bought, line.band, line.token_class), line.price):
                more += Fraction(dearer) * line.tokens
        if more and tokens:
            found[key] = more / tokens
    return found
