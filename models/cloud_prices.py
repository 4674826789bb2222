"""Clouds' own price lists as lines of the price book: what each reading of a list says of tokens, over time.

A list is read again and again, and says what holds now. A price holds since the instant that the list states, or else
since the day on which it was first read; it ends where a later reading's price begins, or on the first day on which
the list is read without it. What is stated still wins over what is stated no longer, which makes a later reading of
the same or an earlier start a correction.

Here belongs: reading `listed_prices` as token prices, and refusing what the book cannot hold. Here does not belong:
machines, commitments, other currencies than USD, which of several books wins.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal, localcontext
from itertools import combinations, groupby, pairwise

import polars as pl

from models.frames import require
from models.list_prices import Refusal
from models.list_readings import STATED
from models.list_timeline import CONTEXT_OF_TIER
from models.money import to_scaled
from models.price_lines import ALWAYS, ANY_INPUT_TO, EVERYWHERE, FOREVER, OWN, PriceLine, price_frame
from models.tokens import TOKEN_CLASSES, tokens_in

SOURCE = "cloud-list"
ON_DEMAND = "on_demand"
CURRENCY = "USD"
DEFAULT_TIER = "default"

Key = tuple[str, str, str, str, str]
"""Provider, model, service tier, region and token class, in the price book's words."""


@dataclass(frozen=True)
class _Spell:
    """A price that a list repeats, reading after reading."""

    source: str
    key: Key
    usd_per_mtok: Decimal
    start: datetime
    gone_on: datetime


def cloud_price_rows(
    listed: pl.DataFrame, identity: pl.DataFrame, known_from: datetime
) -> tuple[pl.DataFrame, list[Refusal]]:
    """On-demand token prices of clouds' lists in the shape of `prices`, and those not taken, with the reason.

    Args:
        listed: what the lists ever said, in the shape of `listed_prices`.
        identity: what provider and model names mean, in the shape of `model_identity`.
        known_from: when the latest readings became known (UTC), kept on every row.
    """
    stated, refusals = _judged(listed.select(STATED).unique(maintain_order=True), require(identity, "model_identity"))
    lines: list[PriceLine] = []
    spells = sorted(_spells(listed, stated), key=lambda spell: (spell.key, spell.source))
    for key, of_key in groupby(spells, key=lambda spell: spell.key):
        by_source = [_timeline(list(own), known_from) for _, own in groupby(of_key, key=lambda spell: spell.source)]
        if _disagree(line for timeline in by_source for line in timeline):
            refusals.append(_refused(key, "is stated twice, at different prices for the same time"))
        else:
            lines += by_source[0]
    return price_frame(lines), refusals


def _judged(
    stated: pl.DataFrame, identity: pl.DataFrame
) -> tuple[dict[tuple[object, ...], tuple[Key, Decimal]], list[Refusal]]:
    """What each distinct statement means: a key and USD per million tokens, unless it is refused."""
    means = {(row["source_provider"], row["source_model"]): row for row in identity.iter_rows(named=True)}
    taken: dict[tuple[object, ...], tuple[Key, Decimal]] = {}
    refusals: list[Refusal] = []
    for row in stated.iter_rows(named=True):
        meaning = means.get((row["provider_name"], row["x_model_id"]))
        provider_id, model_id = (meaning["provider_id"], meaning["model_id"]) if meaning else _names(row)
        tier, region = row["x_service_tier"] or DEFAULT_TIER, row["region_id"] or EVERYWHERE
        key = (provider_id, model_id, tier, region, row["x_token_class"] or "*")
        price = _usd_per_mtok(row) if meaning else "is of a provider that the price book does not know"
        if isinstance(price, str):
            refusals.append(_refused(key, price))
        else:
            taken[tuple(row[name] for name in STATED)] = (key, price)
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
    tier = row["x_service_tier"] or DEFAULT_TIER
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


def _refused(key: Key, reason: str) -> Refusal:
    provider_id, model_id, tier, _, token_class = key
    return Refusal(provider_id, model_id, tier, token_class, ALWAYS, FOREVER, reason)


def _spells(listed: pl.DataFrame, taken: Mapping[tuple[object, ...], tuple[Key, Decimal]]) -> Iterator[_Spell]:
    for row in listed.iter_rows(named=True):
        statement = tuple(row[name] for name in STATED)
        if statement in taken:
            gone_on = FOREVER if row["missed_on"] is None else _midnight(row["missed_on"])
            start = row["valid_from"] or _midnight(row["first_read_on"])
            yield _Spell(row["x_source"], *taken[statement], start, gone_on)


def _timeline(spells: Sequence[_Spell], known_from: datetime) -> list[PriceLine]:
    """One source's lines of a key: at each instant the price stated last, and of those the one that began last."""
    cuts = sorted({at for spell in spells for at in (spell.start, spell.gone_on)})
    lines: list[PriceLine] = []
    for valid_from, valid_to in pairwise(cuts):
        holding = [spell for spell in spells if spell.start <= valid_from < spell.gone_on]
        latest = max(((spell.gone_on, spell.start) for spell in holding), default=None)
        prices = {spell.usd_per_mtok for spell in holding if (spell.gone_on, spell.start) == latest}
        if lines and lines[-1].valid_to == valid_from and prices == {lines[-1].usd_per_mtok}:
            lines[-1] = replace(lines[-1], valid_to=valid_to)
            continue
        when = (valid_from, valid_to, known_from)
        lines += [PriceLine(*spells[0].key, 0, ANY_INPUT_TO, *when, price, SOURCE, OWN) for price in sorted(prices)]
    return lines


def _disagree(lines: Iterable[PriceLine]) -> bool:
    return any(
        one.usd_per_mtok != other.usd_per_mtok and one.valid_from < other.valid_to and other.valid_from < one.valid_to
        for one, other in combinations(lines, 2)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)
