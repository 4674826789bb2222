"""What clouds' lists said so far: last night's runs of readings, and the readings that came since.

The runs carry, as their fingerprint, the last link of a chain over the readings that they were made of, in order. So a
night finds where it has to go on by a look at metadata; readings before that are opened only when one of them changed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

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


@dataclass(frozen=True)
class ListReadings:
    """The readings that are in the lake, in order, and the chain over them: `links[n]` is what it says after n."""

    readings: tuple[Slice, ...]
    links: tuple[str, ...]

    @property
    def last_link(self) -> str:
        """Changes when a reading comes, goes or says something else."""
        return self.links[-1]

    def since(self, link: str) -> set[tuple[str, date]] | None:
        """Source and day of the readings after a link of the chain.

        None where the chain does not have it: then a reading before it is gone, or says something else.
        """
        if link not in self.links:
            return None
        return {(piece.slice_source, piece.slice_date) for piece in self.readings[self.links.index(link) :]}


def list_readings(house: House) -> ListReadings:
    """The readings of all lists that the lake has; without any, the chain has its beginning alone."""
    readings = tuple(piece for piece in house.lake.slices(SKU_PRICES) if piece.row_count)
    return ListReadings(readings, tuple(accumulate(readings, _linked, initial=_FIRST_LINK)))


def listed_prices(house: House, found: ListReadings) -> pl.DataFrame:
    """What every one of those readings said, kept in the lake in the shape of `listed_prices`."""
    kept = [piece.fingerprint for piece in house.lake.slices(LISTED)] or [_FIRST_LINK]
    if kept == [found.last_link]:
        return frame_of(house.lake.read(LISTED))
    is_begun = len(kept) == 1 and kept[0] in found.links
    begun = found.links.index(kept[0]) if is_begun else 0
    before = house.lake.read(LISTED) if is_begun else contract(LISTED).arrow_schema().empty_table()
    now = after_readings(frame_of(before), _rows(house, found.readings[begun:]))
    rows = now.to_arrow().cast(contract(LISTED).arrow_schema())
    house.lake.replace_slice(LISTED, *_SLICE, rows, found.last_link)
    return now


def last_readings(house: House) -> dict[str, date]:
    """The day of the last reading of each list that the configuration names no longer."""
    configured = {source.name for source in house.config.sources}
    last: dict[str, date] = {}
    for piece in house.lake.slices(SKU_PRICES):
        if piece.row_count and piece.slice_source not in configured:
            last[piece.slice_source] = max(piece.slice_date, last.get(piece.slice_source, piece.slice_date))
    return last


def _linked(link: str, piece: Slice) -> str:
    """The chain after one more reading."""
    text = f"{link} {piece.slice_date} {piece.slice_source} {piece.fingerprint}"
    return hashlib.sha256(text.encode()).hexdigest()


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
