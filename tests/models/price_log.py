"""A public log of list-price changes, read as what the list said after each of its commits.

Three readings of what a change means for the time before it:
- `undated`: the list states prices without dates, so that every change holds for all time;
- `dated`: a change holds from its commit on, and a removal ends the price;
- `corrected`: as dated, but a change within a day of the one before is a correction of it, from the same start.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from models.price_lines import ALWAYS, ANY_INPUT_TO, EVERYWHERE, FOREVER, OWN, PriceLine

LOG = Path(__file__).resolve().parents[3] / "shared" / "data" / "price_history" / "llm_price_change_log_to_2025.parquet"
CLASSES = {
    "input_mtok": "input_uncached",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "input_audio_mtok": "input_audio",
    "output_mtok": "output_text",
    "output_audio_mtok": "output_audio",
}
A_DAY = timedelta(days=1)

Prices = Mapping[str, Decimal]


@dataclass(frozen=True)
class Event:
    """A change of one model's prices; none when the model was removed."""

    at: datetime
    provider: str
    model: str
    prices: Prices | None


def events() -> list[Event]:
    """The log in its order. Prices by context or time of day are left out: the base price stands for them."""
    rows = pl.read_parquet(LOG).iter_rows(named=True)
    return [Event(_utc(row["commit_ts"]), row["provider"], row["model"], _prices(row["prices_json"])) for row in rows]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _prices(text: str | None) -> Prices | None:
    if text is None:
        return None
    stated = json.loads(text, parse_float=Decimal)
    if isinstance(stated, list):
        stated = stated[0]["prices"]
    return {name: _rounded(stated[key]) for key, name in CLASSES.items() if stated.get(key) is not None}


def _rounded(price: Any) -> Decimal:
    """The log went through floats: what they left behind the sixth decimal is noise, not money."""
    base = Decimal(price["base"] if isinstance(price, dict) else price)
    return base.quantize(Decimal("0.000001"))


def starts(history: Sequence[Event], reading: str) -> list[tuple[datetime, Prices | None]]:
    """From when each of a model's prices holds, as one reading of the log has it, in the log's order."""
    found: list[tuple[datetime, Prices | None]] = []
    for event, before in zip(history, [None, *history], strict=False):
        if reading == "undated":
            found = [(ALWAYS, event.prices)]
        elif reading == "corrected" and before and event.at - before.at < A_DAY:
            found[-1] = (found[-1][0], event.prices)
        else:
            found.append((event.at, event.prices))
    return found


def lines_of(history: Sequence[Event], reading: str) -> Iterator[PriceLine]:
    """What the list says of one model after those events."""
    begun = starts(history, reading)
    ends = [start for start, _ in begun[1:]] + [FOREVER]
    who = (history[0].provider, history[0].model, "default", EVERYWHERE)
    for (start, prices), end in zip(begun, ends, strict=True):
        for token_class, price in (prices or {}).items():
            yield PriceLine(*who, token_class, 0, ANY_INPUT_TO, start, end, start, price, "log", OWN)
