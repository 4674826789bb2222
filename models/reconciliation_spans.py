"""Lines of a bill that are for more than a day, brought to days, so that they are compared over their own span.

The days of a span have the line's tokens in proportion to what the usage API counted on each, or else the log has; its
cost in proportion to what these tokens cost at the price book. Largest remainders: the parts sum to the line. A line of
whose tokens neither side knows anything stays on its first day.

Here belongs: which day has how much of a line. Here does not belong: what a difference means.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from models.allocation import largest_remainder
from models.price_index import PriceIndex
from models.reconciliation_log import Log
from models.reconciliation_sides import DEFAULT, PRICE_DIGITS, USD_DIGITS, ZERO, Billed, Counted, Key, Model, OfTier


class Span(NamedTuple):
    """A line for several days: the cell of its first day, and the tier where the bill tells tiers."""

    key: Key
    days: int
    tier: str | None
    billed: Billed


class Known(NamedTuple):
    """What says how a span's tokens are spread over its days, of which those of the period are known."""

    period: date
    log: Log
    counted: Counted
    prices: PriceIndex


def by_day(cells: Mapping[Key, Billed], spans: Sequence[Span], known: Known) -> dict[Key, Billed]:
    """The cells of a bill with those of its spans."""
    found = dict(cells)
    for span in spans:
        for key, billed in _parts(span, known):
            found[key] = found.get(key, Billed()).plus(billed)
    return found


def _parts(span: Span, known: Known) -> Iterator[tuple[Key, Billed]]:
    keys = [span.key._replace(day=span.key.day + timedelta(days=number)) for number in range(span.days)]
    weights = _weights(keys, span.tier, known)
    if not any(weights):
        yield span.key, span.billed
        return
    whole = span.billed
    tokens = None if whole.tokens is None else _split(whole.tokens, weights, 0)
    worth = _worth(keys, weights if tokens is None else [abs(count) for count in tokens], span.tier, known) or weights
    costs = _split(whole.cost, worth, USD_DIGITS)
    for number, key in enumerate(keys):
        if not weights[number] and not costs[number]:
            continue
        # a day has its share of the line's rounding, too
        lines = whole.lines * Decimal(worth[number]) / sum(worth)
        of_day = OfTier(costs[number], None if tokens is None else tokens[number], lines, whole.unit)
        tiers = {} if span.tier is None else {span.tier: of_day}
        refunded = max(ZERO, -(of_day.tokens or ZERO))
        yield (
            key,
            Billed(*of_day, tiers, unconverted=whole.unconverted, refunded=refunded, is_for_tokens=whole.is_for_tokens),
        )


def _worth(keys: Sequence[Key], tokens: Sequence[Decimal | int], tier: str | None, known: Known) -> list[int]:
    """What the tokens of each day cost at the price book, in units that are whole; nothing where a price is missing."""
    prices = [_price(key, tier, known) if count else ZERO for key, count in zip(keys, tokens, strict=True)]
    held = [price for price in prices if price is not None]
    if len(held) < len(prices) or not any(held):
        return []
    return [int((price * count).scaleb(PRICE_DIGITS)) for price, count in zip(held, tokens, strict=True)]


def _weights(keys: Sequence[Key], tier: str | None, known: Known) -> list[int]:
    """Tokens of each day: as the usage API counts them, in the log's proportion of the tier, else those of the log.

    Of a day of another month nothing is known: it has as many as the others on average.
    """
    inside = [key for key in keys if key.day.replace(day=1) == known.period]
    counted = {key: _counted(key, known.counted) for key in inside}
    found = {key: _logged(key, tier, known.log) for key in inside}
    if any(counted.values()):
        found = {key: _of_tier(key, tokens, tier, known.log) for key, tokens in counted.items()}
    usual = sum(found.values()) // len(inside) if inside else 0
    return [found.get(key, usual) for key in keys]


def _logged(key: Key, tier: str | None, log: Log) -> int:
    return log.on(Model(key.provider, key.model), key.token_class, key.day, tier).unique


def _of_tier(key: Key, tokens: int, tier: str | None, log: Log) -> int:
    """Of tokens that the usage API counts in all tiers, those that the log has in one."""
    whole = _logged(key, None, log)
    return tokens * _logged(key, tier, log) // whole if whole and tier is not None else tokens


def _counted(key: Key, counted: Counted) -> int:
    units = [unit for unit in counted.tokens if unit.account == key.account] or list(counted.tokens)
    cell = Model(key.provider, key.model), key.token_class, key.day
    return sum(counted.tokens[unit].get(cell, 0) for unit in units)


def _price(key: Key, tier: str | None, known: Known) -> Decimal | None:
    """What a token costs on the day: on average of the log's hours, else at the price book."""
    logged = known.log.on(Model(key.provider, key.model), key.token_class, key.day, tier)
    if logged.average is not None and not logged.unpriced:
        return logged.average
    return known.prices.price(key, tier or DEFAULT)


def _split(amount: Decimal, weights: Sequence[int], digits: int) -> list[Decimal]:
    """An amount in parts of so many decimals; what it has beyond them is the largest part's."""
    units = int(amount.scaleb(digits))
    parts = [Decimal(part).scaleb(-digits) for part in largest_remainder(units, weights)]
    parts[weights.index(max(weights))] += amount - sum(parts, ZERO)
    return parts
