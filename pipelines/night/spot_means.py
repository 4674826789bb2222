"""The mean spot prices of every day that is stale, from the changes that its own slices hold."""

from datetime import date, timedelta

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.frames import frame_of
from models.spot import mean_spot_prices
from pipelines.calendar import midnight
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets

MEANS = "spot_price_means"


def build_spot_means(house: House, first: date, last: date) -> Built:
    """Weighs the prices of the days that a run of the days first..last must rebuild. A day's slice tells it whole."""
    output = contract(MEANS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        after = target.slice_date + timedelta(days=1)
        changes = frame_of(house.lake.read("spot_prices", target.slice_date, after))
        pieces += replace_slices(house, output, _means(changes, target.slice_date, after), [target])
    return Built(MEANS, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def _means(changes: pl.DataFrame, day: date, after: date) -> pa.Table:
    means = mean_spot_prices(changes, midnight(day), midnight(after))
    told = means.with_columns(usage_date=pl.lit(day), availability_zone_id=pl.col("availability_zone_id").fill_null(""))
    return conform(contract(MEANS), told.drop("period_start").to_arrow())
