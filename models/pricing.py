"""The price book: list prices, clouds' lists and the company's own prices over them, and which model a name means.

Here belongs: what a token class of a model costs, when, in which band. Here does not belong: what a request cost (that
is SQL over this book), commitments, currencies other than USD.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise, product

import polars as pl

from models.cloud_prices import cloud_price_rows
from models.frames import conform
from models.identity import identity_rows
from models.list_prices import Refusal, list_price_lines
from models.money import to_scaled
from models.price_lines import (
    ANY_INPUT_TO,
    EVERYWHERE,
    FOREVER,
    OWN,
    PRICE_ORDER,
    PriceLine,
    price_frame,
    price_lines,
    with_fallbacks,
)
from models.tokens import TOKEN_CLASSES

__all__ = [
    "ContractPrice",
    "Refusal",
    "cloud_price_rows",
    "contract_price_rows",
    "identity_rows",
    "merge_prices",
    "price_rows",
]

PRICE_RULES = "2"
"""Changes when the same lists and contracts would make another book."""


@dataclass(frozen=True)
class ContractPrice:
    """Prices that the company has agreed with a provider: USD per million tokens by token class, over a validity.

    `valid_to` is the first instant, and `input_tokens_to` the first total input of a request, for which it no longer
    holds; None for no stated end. Without a region and band it replaces every region's price in every context band.
    """

    provider_id: str
    model_id: str
    service_tier: str
    valid_from: datetime
    valid_to: datetime | None
    usd_per_mtok: Mapping[str, Decimal]
    region_id: str = EVERYWHERE
    input_tokens_from: int = 0
    input_tokens_to: int | None = None


def price_rows(
    known_from: datetime, models: Container[tuple[str, str]] | None = None
) -> tuple[pl.DataFrame, list[Refusal]]:
    """List prices in the shape of `prices`, and the listed prices that the book cannot hold, with the reason.

    Source: the installed `genai-prices` data, read as decimals. Every class of a model stands on the same grid of
    validity and context bands. A tier has prices only where the list states them: before that they are unknown.

    Args:
        known_from: when this list became known to us (UTC), kept on every row.
        models: providers and models that are looked at; all of them unless given.
    """
    lines, refusals = list_price_lines(known_from, models)
    return price_frame(lines), refusals


def contract_price_rows(entries: Iterable[ContractPrice], known_from: datetime) -> pl.DataFrame:
    """The company's own prices in the shape of `prices`: the stated classes only, in the stated band alone.

    Args:
        entries: agreed prices.
        known_from: when they became known to us (UTC).

    Raises:
        ValueError: a class is unknown, a price is negative or finer than DECIMAL(18,6), or a validity or band is empty.
        OverflowError: a price does not fit DECIMAL(18,6).
    """
    lines: list[PriceLine] = []
    for entry in entries:
        valid_to = entry.valid_to or FOREVER
        where = f"contract price of {entry.provider_id}/{entry.model_id}, {entry.service_tier}"
        if valid_to <= entry.valid_from:
            raise ValueError(f"{where}: it ends at {valid_to}, which is not after its start {entry.valid_from}")
        band = (entry.input_tokens_from, ANY_INPUT_TO if entry.input_tokens_to is None else entry.input_tokens_to)
        if not 0 <= band[0] < band[1]:
            raise ValueError(f"{where}: its band ends at {band[1]} tokens, which is not after its start {band[0]}")
        for token_class, usd_per_mtok in entry.usd_per_mtok.items():
            if token_class not in TOKEN_CLASSES:
                raise ValueError(f"{where}: {token_class!r} is no token class; expected {', '.join(TOKEN_CLASSES)}")
            if to_scaled(usd_per_mtok, digits=18, scale=6) < 0:
                raise ValueError(f"{where}: the price {usd_per_mtok} of {token_class} is negative")
            who = (entry.provider_id, entry.model_id, entry.service_tier, entry.region_id, token_class)
            when = (entry.valid_from, valid_to, known_from)
            lines.append(PriceLine(*who, *band, *when, usd_per_mtok, "contract", OWN))
    return price_frame(lines)


def merge_prices(listed: pl.DataFrame, *stronger: pl.DataFrame) -> pl.DataFrame:
    """The one book of several, in which a later book's prices replace those before it, class by class.

    This is where precedence is decided: contract over cloud list over genai-prices is the order of the arguments. In a
    region, a book's regional price wins over its own that holds everywhere, and a stronger book wins over both. Where
    books meet in a model and tier, all of its classes are cut at the same instants and bands, and classes without a
    price of their own follow the price that now holds for the class that contains them. A region's lines are complete:
    what is not stated for it is what holds everywhere.

    Args:
        listed: frame in the shape of `prices`, the weakest book.
        stronger: the same, each over those before it; the last is the company's own, from `contract_price_rows`.

    Raises:
        ValueError: two prices of one book hold at once for a class; or as `models.frames.conform`.
    """
    model = ["provider_id", "model_id", "service_tier"]
    touched = pl.concat([book.select(model) for book in stronger]).unique()
    books = [listed.join(touched, on=model, how="semi"), *stronger]
    models: dict[tuple[str, str, str], list[list[PriceLine]]] = defaultdict(lambda: [[] for _ in books])
    for position, book in enumerate(books):
        for line in price_lines(book):
            if line.price_basis == OWN:
                models[line.provider_id, line.model_id, line.service_tier][position].append(line)
    merged = [line for of_model in models.values() for line in _merged_model(of_model)]
    untouched = listed.join(touched, on=model, how="anti")
    return pl.concat([conform(untouched, "prices"), price_frame(merged)]).sort(PRICE_ORDER)


def _merged_model(books: Sequence[Sequence[PriceLine]]) -> list[PriceLine]:
    """A model's lines in every region that any book names, and everywhere."""
    regions = sorted({EVERYWHERE} | {line.region_id for book in books for line in book})
    merged: list[PriceLine] = []
    for region in regions:
        places = [EVERYWHERE] if region == EVERYWHERE else [EVERYWHERE, region]
        layers = [[line for line in book if line.region_id == place] for book in books for place in places]
        merged += [replace(line, region_id=region) for line in _merged_layers(layers)]
    return merged


def _merged_layers(layers: Sequence[Sequence[PriceLine]]) -> Iterator[PriceLine]:
    lines = [line for layer in layers for line in layer]
    instants = sorted({at for line in lines for at in (line.valid_from, line.valid_to)})
    bands = sorted({at for line in lines for at in (line.input_tokens_from, line.input_tokens_to)})
    for (valid_from, valid_to), (band_from, band_to) in product(pairwise(instants), pairwise(bands)):
        holding: dict[str, PriceLine] = {}
        for layer in layers:
            holding |= _holding(layer, valid_from, band_from)
        for token_class, line, basis in with_fallbacks(holding):
            cut = replace(line, valid_from=valid_from, valid_to=valid_to, token_class=token_class, price_basis=basis)
            yield replace(cut, input_tokens_from=band_from, input_tokens_to=band_to)


def _holding(lines: Sequence[PriceLine], at: datetime, input_tokens: int) -> dict[str, PriceLine]:
    found: dict[str, PriceLine] = {}
    for line in lines:
        holds_now = line.valid_from <= at < line.valid_to
        if holds_now and line.input_tokens_from <= input_tokens < line.input_tokens_to:
            if line.token_class in found:
                where = f"{line.provider_id}/{line.model_id}, {line.service_tier}, {line.token_class}"
                raise ValueError(f"two prices of {where} hold at {at}: let one end where the other begins")
            found[line.token_class] = line
    return found
