"""List prices of the `genai-prices` package as lines of the price book.

The package's context tiers are a cliff: above `start` total input tokens the tier's price holds for every token. All
classes of a model are laid on the same grid of time and bands. Prices that the package computed in binary have more
places than the book: they are rounded half up at the sixth, a millionth of a dollar for a million tokens.

Here belongs: reading that package, and refusing what a dated book cannot say. Here does not belong: contract prices.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from genai_prices.data import providers as listed_providers
from genai_prices.types import ModelInfo, Provider, TieredPrices

from models.list_timeline import CONTEXT_OF_TIER, Price, Stretch, start_of, stretches
from models.money import to_scaled
from models.price_lines import ANY_INPUT_TO, EVERYWHERE, FOREVER, PriceLine, with_fallbacks

SOURCE = "genai-prices"
_PLACES = Decimal("0.000001")  # of `prices`

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


def list_price_lines(
    known_from: datetime, models: Container[tuple[str, str]] | None = None
) -> tuple[list[PriceLine], list[Refusal]]:
    """Every listed token price as lines of the book, and what the book cannot say, with the reason.

    `models` are the providers and models that are looked at; all of them unless given.
    """
    lines: list[PriceLine] = []
    refusals: list[Refusal] = []
    for provider, model, is_borrowed in _listed_models(listed_providers):
        if models is not None and (provider.id, model.id) not in models:
            continue
        # A borrowed model has no variants: their conditions are the lender's.
        for tier in ["default"] if is_borrowed else CONTEXT_OF_TIER:
            for stretch in stretches(model, tier):
                where = (provider.id, model.id, tier)
                lines += _lines_of(where, stretch, known_from)
                refusals += _refusals_of(where, stretch)
        if not is_borrowed:
            refusals += _unknown_variants(provider.id, model)
    return lines, refusals


def _listed_models(providers: Iterable[Provider]) -> Iterator[tuple[Provider, ModelInfo, bool]]:
    """Every provider's models, its own first, then those that it resells at another provider's list prices."""
    by_id = {provider.id: provider for provider in providers}
    for provider in by_id.values():
        taken = {model.id for model in provider.models}
        yield from ((provider, model, False) for model in provider.models)
        for lender in provider.fallback_model_providers or ():
            for model in by_id[lender].models:
                if model.id not in taken:
                    taken.add(model.id)
                    yield provider, model, True


def _lines_of(where: tuple[str, str, str], stretch: Stretch, known_from: datetime) -> list[PriceLine]:
    stated = _stated_classes(stretch)
    if _unfit(stated):
        return []
    when = (stretch.valid_from, stretch.valid_to, known_from)
    lines: list[PriceLine] = []
    for band_from, band_to in _bands(stated.values()):
        for token_class, price, basis in with_fallbacks(stated):
            at = _price_in_band(price, band_from)
            band = (band_from, band_to)
            lines.append(PriceLine(*where, EVERYWHERE, token_class, *band, *when, at, SOURCE, basis))
    return lines


def _refusals_of(where: tuple[str, str, str], stretch: Stretch) -> list[Refusal]:
    validity = (stretch.valid_from, stretch.valid_to)
    if stretch.prices is None:
        return [Refusal(*where, "*", *validity, "depends on the time of day, which a dated book cannot say")]
    others = sorted(stretch.prices.keys() - CLASS_OF_PRICE_KEY.keys())
    refusals = [Refusal(*where, key, *validity, "is not the price of a token class of the book") for key in others]
    if problem := _unfit(_stated_classes(stretch)):
        # A class that loses its own price would silently take another's, so the whole stretch is refused.
        refusals.append(Refusal(*where, "*", *validity, problem))
    return refusals


def _stated_classes(stretch: Stretch) -> dict[str, Price]:
    prices = stretch.prices or {}
    return {CLASS_OF_PRICE_KEY[key]: price for key, price in prices.items() if key in CLASS_OF_PRICE_KEY}


def _unfit(stated: Mapping[str, Price]) -> str | None:
    for price in stated.values():
        bands = [price.base, *(tier.price for tier in price.tiers)] if isinstance(price, TieredPrices) else [price]
        for usd_per_mtok in bands:
            try:
                to_scaled(_kept(usd_per_mtok), digits=18, scale=6)
            except (ArithmeticError, ValueError) as error:
                return str(error) or f"{usd_per_mtok} does not fit DECIMAL(18,6)"
    return None


def _kept(usd_per_mtok: Decimal) -> Decimal:
    return usd_per_mtok.quantize(_PLACES, ROUND_HALF_UP)


def _bands(prices: Iterable[Price]) -> Iterable[tuple[int, int]]:
    starts = {tier.start + 1 for price in prices if isinstance(price, TieredPrices) for tier in price.tiers}
    return pairwise(sorted({0, *starts, ANY_INPUT_TO}))


def _price_in_band(price: Price, input_tokens: int) -> Decimal:
    if isinstance(price, Decimal):
        return _kept(price)
    return _kept(next((tier.price for tier in reversed(price.tiers) if input_tokens > tier.start), price.base))


def _unknown_variants(provider_id: str, model: ModelInfo) -> list[Refusal]:
    return [
        Refusal(
            provider_id,
            model.id,
            ", ".join(f"{key}={value}" for key, value in sorted(variant.when.items())),
            "*",
            start_of(variant.constraint),
            FOREVER,
            f"is for a condition that is none of the service tiers {', '.join(CONTEXT_OF_TIER)}",
        )
        for variant in model.price_variants or ()
        if variant.when not in CONTEXT_OF_TIER.values()
    ]
