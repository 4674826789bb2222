"""One line of a price book, the classes that share another's price, and the frame that lines become.

Here belongs: what every price has in common, wherever it comes from. Here does not belong: a source of prices.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time
from decimal import Decimal
from operator import attrgetter
from typing import TypeVar

import polars as pl

from contracts import contract
from models import validity
from models.frames import conform, schema_of
from models.tokens import PRICE_FALLBACKS, TOKEN_CLASSES

ALWAYS = datetime.combine(validity.EVER, time.min)
"""Start of a price that has no stated start."""

FOREVER = datetime.combine(validity.FOREVER, time.min)
"""End of a price that has no stated end."""

ANY_INPUT_TO = 2**63 - 1
"""End of the highest context band: more tokens than a request can have."""

PRICE_ORDER = contract("prices").key
"""The columns that together are unique; price frames are sorted by them."""

EVERYWHERE = ""
"""Region of a price that holds in every region which has none of its own."""

OWN = "own"
"""Basis of a price that was stated for its class, not taken from another."""

Priced = TypeVar("Priced")


@dataclass(frozen=True)
class PriceLine:
    """What a token class costs in a region, context band and stretch of time. Fields in the order of `prices`."""

    provider_id: str
    model_id: str
    service_tier: str
    region_id: str
    token_class: str
    input_tokens_from: int
    input_tokens_to: int
    valid_from: datetime
    valid_to: datetime
    known_from: datetime
    usd_per_mtok: Decimal
    price_source: str
    price_basis: str


def with_fallbacks(stated: Mapping[str, Priced]) -> list[tuple[str, Priced, str]]:
    """Every token class that has a price, its own or a containing class's: (class, price, basis).

    A class with neither has no entry: its price is unknown.
    """
    found: list[tuple[str, Priced, str]] = []
    for token_class in TOKEN_CLASSES:
        candidates = (token_class, *PRICE_FALLBACKS.get(token_class, ()))
        source = next((name for name in candidates if name in stated), None)
        if source is not None:
            found.append((token_class, stated[source], OWN if source == token_class else source))
    return found


_CELLS = attrgetter(*(field.name for field in fields(PriceLine)))  # astuple would copy every value


def price_frame(lines: Iterable[PriceLine]) -> pl.DataFrame:
    """The lines in the shape of `prices`, in `PRICE_ORDER`."""
    frame = pl.DataFrame(list(map(_CELLS, lines)), schema=schema_of("prices"), orient="row")
    return conform(frame.sort(PRICE_ORDER), "prices")


def price_lines(frame: pl.DataFrame) -> list[PriceLine]:
    """The lines of a frame in the shape of `prices`. Raises ValueError as `models.frames.conform`."""
    return [PriceLine(*row) for row in conform(frame, "prices").iter_rows()]
