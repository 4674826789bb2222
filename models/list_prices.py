"""List prices of the `genai-prices` package, laid out in time and context bands.

The package keeps, for every model, prices that hold from a date on (the last one that is active wins; the first one
where none is), variants for a service tier, and tiers that are a cliff: above `start` total input tokens the tier's
price holds for every token. Here they become half-open stretches, all classes of a model on the same grid, so that a
price book can be read by one join.

Here belongs: reading that package, and refusing what a dated book cannot say. Here does not belong: contract prices.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise

from genai_prices.data import providers as listed_providers
from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, Provider, StartDateConstraint, TieredPrices

from models.money import to_scaled
from models.price_lines import ALWAYS, ANY_INPUT_TO, FOREVER, PriceLine, with_fallbacks

SOURCE = "genai-prices"

CLASS_OF_PRICE_KEY: Mapping[str, str] = {
    "input_mtok": "input_uncached",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",  # the package's unqualified cache write is the five-minute one
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_mtok": "output_text",
    "output_reasoning_mtok": "output_reasoning",
    "output_audio_mtok": "output_audio",
}

CONTEXT_OF_TIER: Mapping[str, Mapping[str, str]] = {
    "default": {"service_tier": "default"},
    "batch": {"processing": "batch"},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
}
"""How the package names the book's service tiers."""

Price = Decimal | TieredPrices


@dataclass(frozen=True)
class Refusal:
    """A listed price that the book cannot hold. `price_key` is the package's name of it, or `*` for all of them."""

    provider_id: str
    model_id: str
    service_tier: str
    price_key: str
    valid_from: datetime
    valid_to: datetime
    reason: str


@dataclass(frozen=True)
class _Stretch:
    provider_id: str
    model_id: str
    service_tier: str
    valid_from: datetime
    valid_to: datetime
    prices: Mapping[str, Price]

    def refusal(self, price_key: str, reason: str) -> Refusal:
        where = (self.provider_id, self.model_id, self.service_tier)
        return Refusal(*where, price_key, self.valid_from, self.valid_to, reason)


class _TimeOfDayError(Exception):
    """The price depends on the time of day."""


def list_price_lines(known_from: datetime) -> tuple[list[PriceLine], list[Refusal]]:
    """Every listed token price as lines of the book, and what the book cannot say, with the reason."""
    lines: list[PriceLine] = []
    refusals: list[Refusal] = []
    for provider, model, is_borrowed in _listed_models(listed_providers):
        # A borrowed model has no variants: their conditions are the lender's.
        tiers = ["default"] if is_borrowed else list(CONTEXT_OF_TIER)
        for tier in tiers:
            for stretch in _stretches(provider.id, model, tier, refusals):
                lines += _lines_of(stretch, known_from, refusals)
        if not is_borrowed:
            refusals += _unknown_variants(provider.id, model)
    return lines, refusals


def _listed_models(providers: Iterable[Provider]) -> Iterator[tuple[Provider, ModelInfo, bool]]:
    by_id = {provider.id: provider for provider in providers}
    for provider in by_id.values():
        taken = {model.id for model in provider.models}
        yield from ((provider, model, False) for model in provider.models)
        for lender in provider.fallback_model_providers or ():
            for model in by_id[lender].models:
                if model.id not in taken:
                    taken.add(model.id)
                    yield provider, model, True


def _stretches(provider_id: str, model: ModelInfo, tier: str, refusals: list[Refusal]) -> Iterator[_Stretch]:
    variants = [] if tier == "default" else _variants_of(model, tier)
    if not model.prices or (tier != "default" and not variants):
        return
    constraints = [price.constraint for price in model.prices] if isinstance(model.prices, list) else []
    constraints += [variant.constraint for variant in variants]
    starts = {_midnight(limit.start_date) for limit in constraints if isinstance(limit, StartDateConstraint)}
    open_stretch: _Stretch | None = None
    for valid_from, valid_to in pairwise(sorted({ALWAYS, *starts, FOREVER})):
        at = (provider_id, model.id, tier, valid_from, valid_to)
        try:
            prices = _prices_at(model, variants, tier, valid_from.date())
        except _TimeOfDayError:
            prices = {}
            refusals.append(Refusal(*at[:3], "*", *at[3:], "depends on the time of day, which a dated book cannot say"))
        if open_stretch is not None and open_stretch.prices == prices:
            at = (*at[:3], open_stretch.valid_from, valid_to)
        elif open_stretch is not None and open_stretch.prices:
            yield open_stretch
        open_stretch = _Stretch(*at, prices)
    if open_stretch is not None and open_stretch.prices:
        yield open_stretch


def _variants_of(model: ModelInfo, tier: str) -> list[PriceVariant]:
    return [variant for variant in model.price_variants or () if variant.when == CONTEXT_OF_TIER[tier]]


def _prices_at(model: ModelInfo, variants: Iterable[PriceVariant], tier: str, day: date) -> dict[str, Price]:
    """The package's prices by its own keys; empty where the tier has no stated price on that day."""
    found = _stated(_standard_at(model, day))
    if tier == "default":
        return found
    overrides: dict[str, Price] = {}
    for variant in variants:
        if _is_active(variant.constraint, day):
            overrides = {**_stated(variant.prices), **overrides}  # the first variant that states a key wins
    return {**found, **overrides} if overrides else {}


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


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _lines_of(stretch: _Stretch, known_from: datetime, refusals: list[Refusal]) -> list[PriceLine]:
    stated = {CLASS_OF_PRICE_KEY[key]: price for key, price in stretch.prices.items() if key in CLASS_OF_PRICE_KEY}
    others = sorted(stretch.prices.keys() - CLASS_OF_PRICE_KEY.keys())
    refusals += [stretch.refusal(key, "is not the price of a token class of the book") for key in others]
    if problem := _unfit(stated):
        # A class that loses its own price would silently take another's, so the whole stretch is refused.
        refusals.append(stretch.refusal("*", problem))
        return []
    where = (stretch.provider_id, stretch.model_id, stretch.service_tier)
    when = (stretch.valid_from, stretch.valid_to, known_from)
    lines: list[PriceLine] = []
    for band_from, band_to in _bands(stated.values()):
        for token_class, price, basis in with_fallbacks(stated):
            at = _price_in_band(price, band_from)
            lines.append(PriceLine(*where, token_class, band_from, band_to, *when, at, SOURCE, basis))
    return lines


def _unfit(stated: Mapping[str, Price]) -> str | None:
    for price in stated.values():
        bands = [price.base, *(tier.price for tier in price.tiers)] if isinstance(price, TieredPrices) else [price]
        for usd_per_mtok in bands:
            try:
                to_scaled(usd_per_mtok, digits=18, scale=6)
            except (ValueError, OverflowError) as error:
                return str(error)
    return None


def _bands(prices: Iterable[Price]) -> Iterable[tuple[int, int]]:
    starts = {tier.start + 1 for price in prices if isinstance(price, TieredPrices) for tier in price.tiers}
    return pairwise(sorted({0, *starts, ANY_INPUT_TO}))


def _price_in_band(price: Price, input_tokens: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    return next((tier.price for tier in reversed(price.tiers) if input_tokens > tier.start), price.base)


def _unknown_variants(provider_id: str, model: ModelInfo) -> list[Refusal]:
    return [
        Refusal(
            provider_id,
            model.id,
            ", ".join(f"{key}={value}" for key, value in sorted(variant.when.items())),
            "*",
            _midnight(variant.constraint.start_date) if isinstance(variant.constraint, StartDateConstraint) else ALWAYS,
            FOREVER,
            f"is for a condition that is none of the service tiers {', '.join(CONTEXT_OF_TIER)}",
        )
        for variant in model.price_variants or ()
        if variant.when not in CONTEXT_OF_TIER.values()
    ]
