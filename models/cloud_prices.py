"""Clouds' own price lists as lines of the price book: what each reading of a list says of tokens, over time.

A list is read again and again, and says what holds now. A price holds since the instant that the list states, or else
since the day on which it was first read; it ends where a later reading's price begins, on the first day on which the
list is read without it, or with the last reading of a list that is read no longer.

Here belongs: reading `listed_prices` as token prices, and refusing what the book cannot hold. Here does not belong:
machines, commitments, other currencies than USD, which of several books wins.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, localcontext

import polars as pl

from models.cloud_bands import DEFAULT_TIER, Bands, Placed, bands_of, placed
from models.cloud_timeline import Priced, Spell, Stretch, timeline
from models.frames import require
from models.list_prices import Refusal
from models.list_readings import STATED
from models.list_timeline import CONTEXT_OF_TIER
from models.money import to_scaled
from models.price_lines import ALWAYS, EVERYWHERE, FOREVER, OWN, PriceLine, price_frame
from models.tokens import TOKEN_CLASSES, tokens_in

SOURCE = "cloud-list"
ON_DEMAND = "on_demand"
CURRENCY = "USD"
LONG_CONTEXT = "+long-context"
"""What stands after the tier of a price that holds in long contexts only."""

_TWO_PRICES = "is stated twice, at different prices for the same time"
_NO_BAND = (
    "is for long contexts, and the general list does not say from how many tokens on; where that is not said at all, "
    "the ordinary price holds for them too. A contract price can state both, with 'input_tokens_from' and "
    "'input_tokens_to'"
)


def cloud_price_rows(
    listed: pl.DataFrame,
    identity: pl.DataFrame,
    known_from: datetime,
    book: pl.DataFrame,
    last_read: Mapping[str, date] | None = None,
) -> tuple[pl.DataFrame, list[Refusal]]:
    """On-demand token prices of clouds' lists in the shape of `prices`, and those not taken, with the reason.

    Args:
        listed: what the lists ever said, in the shape of `listed_prices`.
        identity: what provider and model names mean, in the shape of `model_identity`.
        known_from: when the latest readings became known (UTC), kept on every row.
        book: the general list, in the shape of `prices`: it says where contexts become long.
        last_read: the day of the last reading of each source that is read no longer.
    """
    stated, refusals = _judged(listed.select(STATED).unique(maintain_order=True), require(identity, "model_identity"))
    spells: dict[Priced, list[Spell]] = defaultdict(list)
    for spell in _spells(listed, stated, last_read or {}):
        spells[spell.of].append(spell)
    bands = bands_of(book, {(of.provider_id, of.model_id) for of in spells})
    lines: list[PriceLine] = []
    for of in sorted(spells):
        is_long_stated = of._replace(is_long_context=True) in spells
        for piece in _pieces(of, spells[of], bands, is_long_stated):
            if len(piece.stretch.prices) > 1:
                refusals.append(_refused(of, _TWO_PRICES, piece.stretch))
            elif piece.band is None:
                refusals.append(_refused(of, _NO_BAND, piece.stretch))
            else:
                lines.append(_line(of, piece.stretch, piece.band, known_from))
    return price_frame(lines), refusals


def _pieces(of: Priced, spells: list[Spell], bands: Bands, is_long_stated: bool) -> Iterator[Placed]:
    for stretch in timeline(spells):
        yield from placed(of, stretch, bands, is_long_stated=is_long_stated)


def _line(of: Priced, stretch: Stretch, band: tuple[int, int], known_from: datetime) -> PriceLine:
    (price,) = stretch.prices
    return PriceLine(*of[:5], *band, stretch.valid_from, stretch.valid_to, known_from, price, SOURCE, OWN)


def _judged(
    stated: pl.DataFrame, identity: pl.DataFrame
) -> tuple[dict[tuple[object, ...], tuple[Priced, Decimal]], list[Refusal]]:
    """What each distinct statement means: a key and USD per million tokens, unless it is refused."""
    means = {(row["source_provider"], row["source_model"]): row for row in identity.iter_rows(named=True)}
    taken: dict[tuple[object, ...], tuple[Priced, Decimal]] = {}
    refusals: list[Refusal] = []
    for row in stated.iter_rows(named=True):
        meaning = means.get((row["provider_name"], row["x_model_id"]))
        provider_id, model_id = (meaning["provider_id"], meaning["model_id"]) if meaning else _names(row)
        tier, region = row["x_service_tier"] or DEFAULT_TIER, row["region_id"] or EVERYWHERE
        is_long = tier.endswith(LONG_CONTEXT)
        of = Priced(
            provider_id, model_id, tier.removesuffix(LONG_CONTEXT), region, row["x_token_class"] or "*", is_long
        )
        price = _usd_per_mtok(row) if meaning else "is of a provider that the price book does not know"
        if isinstance(price, str):
            refusals.append(_refused(of, price))
        else:
            taken[tuple(row[name] for name in STATED)] = (of, price)
    return taken, refusals


def _names(row: Mapping[str, str]) -> tuple[str, str]:
    return row["provider_name"], row["x_model_id"]


def _usd_per_mtok(row: Mapping[str, object]) -> Decimal | str:
    """The price of a million tokens, exactly, or why the book cannot hold it."""
    reason = _unfit(row)
    tokens = tokens_in(str(row["pricing_unit"]))
    if reason or tokens is None:
        return reason or f"is the price of {row['pricing_unit']!r}, which is no number of tokens"
    with localcontext() as exact:
        exact.prec = 80  # DECIMAL(38,12) times a million, and room to see that nothing was rounded
        dollars = Decimal(str(row["unit_price"])) * 1_000_000
        usd_per_mtok = dollars / tokens
        if usd_per_mtok * tokens != dollars:
            return f"is {row['unit_price']} for {row['pricing_unit']!r}, which is no exact price of a million tokens"
        try:
            to_scaled(usd_per_mtok, digits=18, scale=6)
        except (ValueError, OverflowError) as error:
            return str(error)
    return usd_per_mtok


def _unfit(row: Mapping[str, object]) -> str | None:
    tier = str(row["x_service_tier"] or DEFAULT_TIER).removesuffix(LONG_CONTEXT)
    if row["currency"] != CURRENCY:
        return f"is in {row['currency']}, and the book is in {CURRENCY}"
    if row["purchase_option"] != ON_DEMAND:
        return f"is for {row['purchase_option']}, not for each token used"
    if row["x_token_class"] not in TOKEN_CLASSES:
        return f"is of {row['x_token_class']!r}, which is no token class of the book"
    if tier not in CONTEXT_OF_TIER:
        return f"is for {tier!r}, which is none of the service tiers {', '.join(CONTEXT_OF_TIER)}"
    if row["quantity_from"]:
        return f"begins at a monthly quantity of {row['quantity_from']}, which a request cannot know"
    return None


def _refused(of: Priced, reason: str, during: Stretch | None = None) -> Refusal:
    tier = of.service_tier + (LONG_CONTEXT if of.is_long_context else "")
    when = (during.valid_from, during.valid_to) if during else (ALWAYS, FOREVER)
    return Refusal(of.provider_id, of.model_id, tier, of.token_class, *when, reason)


def _spells(
    listed: pl.DataFrame, taken: Mapping[tuple[object, ...], tuple[Priced, Decimal]], last_read: Mapping[str, date]
) -> Iterator[Spell]:
    for row in listed.iter_rows(named=True):
        statement = tuple(row[name] for name in STATED)
        if statement in taken:
            start = row["valid_from"] or _midnight(row["first_read_on"])
            yield Spell(row["x_source"], *taken[statement], start, _gone_on(row, last_read))


def _gone_on(row: Mapping[str, date | None], last_read: Mapping[str, date]) -> datetime:
    if row["missed_on"] is not None:
        return _midnight(row["missed_on"])
    ended = last_read.get(str(row["x_source"]))
    return FOREVER if ended is None else _midnight(ended + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)
