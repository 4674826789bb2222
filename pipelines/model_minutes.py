"""A month's minutes of one model that is sold as units of throughput: from the table that a night keeps of them.

Of other providers than the one whose units are known no table keeps minutes; where they served the model, too, theirs
are counted from the log, day by day.

Here belongs: reading minutes, and which days are known. Here does not belong: advice, what a unit serves.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from contracts import contract
from models.frames import conform, frame_of, schema_of
from models.provisioned_advice import PROVIDER_ID
from models.provisioned_minutes import TIERS, DayMinutes, packed
from pipelines.calendar import next_month
from pipelines.night.build import read_view

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.house import House

MINUTES, _VIEW, _LOG = "provisioned_minutes", "usage_by_minute", "gateway_requests"


@dataclass(frozen=True)
class Minutes:
    """A model's minutes of some whole days, of all providers and regions together.

    `found` is packed as a day is. `hours` has the tokens of each hour instead, to say what means would hide. `days`
    counts those that the log told of, the ones on which it told of no request among them: units are paid on those too.
    `served_by` names the providers and regions whose minutes these are. `unkept_days` are days of the log whose
    minutes no night has kept: none of them is counted.
    """

    found: DayMinutes
    hours: "NDArray[np.int64]"
    days: int
    served_by: tuple[str, ...]
    unkept_days: tuple[date, ...]


def known_days(house: "House", month: date) -> tuple[dict[date, bool], tuple[date, ...]]:
    """The month's days that the log told of, oldest first: whether any minute is kept of each, and those not known.

    A day whose minutes were never asked for is not known, which is not a day of silence.
    """
    kept = Counter[date]()
    for piece in house.lake.slices(MINUTES):
        kept[piece.slice_date] += piece.row_count
    told = sorted({piece.slice_date for piece in house.lake.slices(_LOG)})
    days = [day for day in told if month <= day < next_month(month)]
    return {day: kept[day] > 0 for day in days if day in kept}, tuple(day for day in days if day not in kept)


def read_minutes(house: "House", model: str, month: date) -> Minutes:
    """The model's minutes of the month's days that are known, on the standard tier or provisioned already."""
    days, unkept = known_days(house, month)
    others = _other_names(house, model)
    none = pl.DataFrame(schema=schema_of(MINUTES))
    rows = pl.concat([none, *(_of_day(house, model, day, others, is_kept=kept) for day, kept in days.items())])
    found = packed(rows)
    of_hours = packed(rows.with_columns(pl.col("minute_start").dt.truncate("1h")))
    metered = rows.drop_nulls("input_tokens").select("provider_id", "region_id").unique()
    served_by = sorted(f"{provider} {region}".rstrip() for provider, region in metered.iter_rows())
    return Minutes(found, of_hours.counts, len(days), tuple(served_by), unkept)


def _other_names(house: "House", model: str) -> set[tuple[str, str]]:
    """What providers whose minutes no table keeps call the model, as logs name them."""
    return {
        (row["source_provider"], row["source_model"])
        for row in house.lake.read("model_identity").to_pylist()
        if row["provider_id"] != PROVIDER_ID and (row["model_id"] or row["source_model"]) == model
    }


def _of_day(house: "House", model: str, day: date, others: set[tuple[str, str]], *, is_kept: bool) -> pl.DataFrame:
    """The model's rows of a day, as kept; where others served it, too, theirs from the day's log."""
    after = day + timedelta(days=1)
    found = [frame_of(house.lake.read(MINUTES, day, after))] if is_kept else []
    used = house.lake.read("models_in_use", day, after).to_pylist() if others else []
    if any((row["source_provider"], row["source_model"]) in others for row in used):
        rows = frame_of(read_view(house, contract(_VIEW), day))
        theirs = rows.filter(pl.col("provider_id") != PROVIDER_ID, pl.col("service_tier").is_in(TIERS))
        found.append(conform(theirs, MINUTES))
    return pl.concat([pl.DataFrame(schema=schema_of(MINUTES)), *found]).filter(model_id=model)
