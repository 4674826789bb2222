"""What clouds' lists say of a thing's price over time, put together from readings and sources.

Of one source, what is stated still wins over what is stated no longer, and of what is stated alike the price that
began last: a later reading corrects. Sources are read side by side and correct nobody: where two of them differ, or one
states two prices at once, nothing holds, in that stretch alone.

Here belongs: time. Here does not belong: units, context bands, which of several books wins.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import NamedTuple


class Priced(NamedTuple):
    """What a price is of, in the price book's words."""

    provider_id: str
    model_id: str
    service_tier: str
    region_id: str
    token_class: str
    is_long_context: bool = False


@dataclass(frozen=True)
class Spell:
    """A price that a list repeats, reading after reading."""

    source: str
    of: Priced
    usd_per_mtok: Decimal
    start: datetime
    gone_on: datetime


@dataclass(frozen=True)
class Stretch:
    """Stated prices over a stretch of time: one, or several that contradict each other."""

    valid_from: datetime
    valid_to: datetime
    prices: frozenset[Decimal]


def timeline(spells: Iterable[Spell]) -> list[Stretch]:
    """What all sources together say of one thing, oldest first; neighbours differ, and nothing stated is no stretch."""
    ordered = sorted(spells, key=lambda spell: spell.source)
    sources = [_of_source(list(own)) for _, own in groupby(ordered, key=lambda spell: spell.source)]
    stretches = [stretch for source in sources for stretch in source]
    return list(_joined(_together(stretches)))


def _of_source(spells: Sequence[Spell]) -> list[Stretch]:
    cuts = sorted({at for spell in spells for at in (spell.start, spell.gone_on)})
    found: list[Stretch] = []
    for valid_from, valid_to in pairwise(cuts):
        holding = [spell for spell in spells if spell.start <= valid_from < spell.gone_on]
        latest = max(((spell.gone_on, spell.start) for spell in holding), default=None)
        prices = frozenset(spell.usd_per_mtok for spell in holding if (spell.gone_on, spell.start) == latest)
        found.append(Stretch(valid_from, valid_to, prices))
    return found


def _together(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    cuts = sorted({at for stretch in stretches for at in (stretch.valid_from, stretch.valid_to)})
    for valid_from, valid_to in pairwise(cuts):
        holding = [stretch for stretch in stretches if stretch.valid_from <= valid_from < stretch.valid_to]
        yield Stretch(valid_from, valid_to, frozenset(price for stretch in holding for price in stretch.prices))


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    for prices, alike in groupby(stretches, key=lambda stretch: stretch.prices):
        run = list(alike)
        if prices:
            yield Stretch(run[0].valid_from, run[-1].valid_to, prices)
