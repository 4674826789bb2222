"""When which of a model's list prices holds, in the `genai-prices` package's own terms.

The package keeps, for every model, prices that hold from a date on (the last one that is active wins; the first one
where none is) and variants for a service tier. Here they become half-open stretches of constant prices.

Here belongs: time and service tiers of list prices. Here does not belong: token classes, context bands, refusals.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby, pairwise

from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, StartDateConstraint, TieredPrices

from models.price_lines import ALWAYS, FOREVER

CONTEXT_OF_TIER: Mapping[str, Mapping[str, str]] = {
    "default": {"service_tier": "default"},
    "batch": {"processing": "batch"},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
}
"""How the package names the book's service tiers."""

Price = Decimal | TieredPrices


@dataclass(frozen=True)
class Stretch:
    """Prices by the package's keys over a stretch of time; None where they depend on the time of day."""

    valid_from: datetime
    valid_to: datetime
    prices: Mapping[str, Price] | None


class _TimeOfDayError(Exception):
    """The price depends on the time of day."""


def stretches(model: ModelInfo, tier: str) -> Iterator[Stretch]:
    """The stretches in which the model has a stated price in the tier, oldest first; neighbours differ in prices."""
    variants = [] if tier == "default" else _variants_of(model, tier)
    if not model.prices or (tier != "default" and not variants):
        return
    dated = model.prices if isinstance(model.prices, list) else []
    starts = {start_of(limit) for limit in [*(p.constraint for p in dated), *(v.constraint for v in variants)]}
    instants = pairwise(sorted({ALWAYS, *starts, FOREVER}))
    days = [Stretch(start, end, _prices_at(model, variants, tier, start.date())) for start, end in instants]
    for prices, alike in groupby(days, key=lambda stretch: stretch.prices):
        run = list(alike)
        if prices is None or prices:
            yield Stretch(run[0].valid_from, run[-1].valid_to, prices)


def start_of(constraint: object) -> datetime:
    """The instant from which a constraint lets a price hold; always, unless it names a date."""
    if isinstance(constraint, StartDateConstraint):
        return datetime.combine(constraint.start_date, time.min)
    return ALWAYS


def _variants_of(model: ModelInfo, tier: str) -> list[PriceVariant]:
    return [variant for variant in model.price_variants or () if variant.when == CONTEXT_OF_TIER[tier]]


def _prices_at(model: ModelInfo, variants: Sequence[PriceVariant], tier: str, day: date) -> Mapping[str, Price] | None:
    """Prices on a day; empty where the tier has no stated price yet, None where the time of day decides."""
    try:
        standard = _stated(_standard_at(model, day))
        active = [_stated(variant.prices) for variant in variants if _is_active(variant.constraint, day)]
    except _TimeOfDayError:
        return None
    if tier == "default":
        return standard
    overrides: dict[str, Price] = {}  # none where a tier is stated to cost what the standard one does
    for stated in active:
        overrides = {**stated, **overrides}  # the first variant that states a key wins
    return {**standard, **overrides} if active else {}


def _standard_at(model: ModelInfo, day: date) -> ModelPrice:
    if isinstance(model.prices, ModelPrice):
        return model.prices
    for price in reversed(model.prices):
        if _is_active(price.constraint, day):
            return price.prices
    return model.prices[0].prices


def _is_active(constraint: object, day: date) -> bool:
    if constraint is None:
        return True
    if isinstance(constraint, StartDateConstraint):
        return day >= constraint.start_date
    raise _TimeOfDayError


def _stated(price: ModelPrice) -> dict[str, Price]:
    return {key: value for key, value in vars(price).items() if value is not None}
