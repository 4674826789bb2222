"""What clouds' lists said so far: last night's runs of readings, and the readings that came since.

The runs carry, as their fingerprint, the last link of a chain over the readings that they were made of, in order. So a
night finds where it has to go on by a look at metadata; readings before that are opened only when one of them changed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl
import pyarrow.dataset as ds

from contracts import contract
from models.frames import frame_of
from models.list_readings import STATED, after_readings
from pipelines.house import House
from pipelines.lake import Slice

SKU_PRICES = "sku_prices"
LISTED = "listed_prices"
_SLICE = (date(1970, 1, 1), "configuration")  # the one slice of a table without dates
_FIRST_LINK = "readings"


def listed_prices(house: House) -> pl.DataFrame:
    """What every reading of every list said, kept in the lake in the shape of `listed_prices`."""
    readings = _readings(house)
    links = list(_chain(readings))
    kept = [piece.fingerprint for piece in house.lake.slices(LISTED)]
    if kept == links[-1:]:
        return frame_of(house.lake.read(LISTED))
    is_begun = len(kept) == 1 and kept[0] in links
    begun = links.index(kept[0]) + 1 if is_begun else 0
    before = house.lake.read(LISTED) if is_begun else contract(LISTED).arrow_schema().empty_table()
    now = after_readings(frame_of(before), _rows(house, readings[begun:]))
    house.lake.replace_slice(LISTED, *_SLICE, now.to_arrow().cast(contract(LISTED).arrow_schema()), links[-1])
    return now


def last_link(house: House) -> str:
    """The last link of the chain over all readings: it changes when one comes, goes or says something else."""
    return (_FIRST_LINK, *_chain(_readings(house)))[-1]


def readings_since(house: House, link: str) -> set[tuple[str, date]] | None:
    """Source and day of the readings after a link of the chain.

    None where the chain does not have it: then a reading before it is gone, or says something else.
    """
    readings = _readings(house)
    links = [_FIRST_LINK, *_chain(readings)]
    if link not in links:
        return None
    return {(piece.slice_source, piece.slice_date) for piece in readings[links.index(link) :]}


def last_readings(house: House) -> dict[str, date]:
    """The day of the last reading of each list that the configuration names no longer."""
    configured = {source.name for source in house.config.sources}
    last: dict[str, date] = {}
    for piece in house.lake.slices(SKU_PRICES):
        if piece.row_count and piece.slice_source not in configured:
            last[piece.slice_source] = max(piece.slice_date, last.get(piece.slice_source, piece.slice_date))
    return last


def _readings(house: House) -> list[Slice]:
    return [piece for piece in house.lake.slices(SKU_PRICES) if piece.row_count]


def _chain(readings: Sequence[Slice]) -> Iterator[str]:
    link = _FIRST_LINK
    for piece in readings:
        text = f"{link} {piece.slice_date} {piece.slice_source} {piece.fingerprint}"
        link = hashlib.sha256(text.encode()).hexdigest()
        yield link


def _rows(house: House, readings: Sequence[Slice]) -> Iterator[tuple[str, date, pl.DataFrame]]:
    for piece in readings:
        day = piece.slice_date
        of_reading = (
            ds.field("x_model_id").is_valid()
            & (ds.field("x_source") == piece.slice_source)
            & (ds.field("x_slice_date") == day)
        )
        rows = house.lake.dataset(SKU_PRICES, day, date.fromordinal(day.toordinal() + 1))
        yield piece.slice_source, day, frame_of(rows.to_table(columns=list(STATED), filter=of_reading))
