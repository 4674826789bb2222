"""Spot prices over time: what a machine cost on average in a day or an hour, from the changes of its price.

A spot price is a step: it holds from its change to the next one. So a mean weighs every price by how long it held; the
mean of the changes themselves says how often a price moved, not what it was.

Here belongs: means over time. Here does not belong: reading changes (connectors), what was saved by using spot.
"""

from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from models.frames import require
from models.money import money_of, units_of

KEY = (
    "provider_name",
    "region_id",
    "availability_zone",
    "availability_zone_id",
    "instance_type",
    "product_description",
    "currency",
)
"""What has a price of its own."""

SPOT_RULES = "1"
"""Version of how a mean is taken: what was built by another one is built again."""

LARGEST_UNITS = 10**26
"""Largest price in pico-units (a hundred million million): a day of microseconds of it fits 128 bits."""

_SECONDS = pl.Decimal(38, 6)
_LENGTHS = {"1d": timedelta(days=1), "1h": timedelta(hours=1)}


def mean_spot_prices(
    changes: pl.DataFrame, start: datetime, end: datetime, every: Literal["1d", "1h"] = "1d"
) -> pl.DataFrame:
    """The time-weighted mean price of every machine, zone and product in every period of `[start, end)`.

    Each price is weighed by the microseconds for which it held in the period, the one in force when the period began
    included; the last one is taken to hold until `end`. The mean is exact, rounded half-even to twelve places once. A
    period before the first known change has no mean: it is NULL, not zero; one that the first change lies in has the
    mean of its known part, and `known_seconds` says how much that is. Of two prices of the same instant the higher
    holds. Changes that slices repeat are one.

    Args:
        changes: frame in the shape of `spot_prices`, in any order.
        start: first instant (UTC), a whole hour or midnight.
        end: first instant after the last period; changes from then on are not looked at.
        every: length of a period.

    Returns:
        `KEY`, period_start, mean_unit_price (currency an hour, DECIMAL(38,12)), known_seconds (DECIMAL(38,6)).

    Raises:
        ValueError: the frame does not keep its contract, or the range is no whole number of periods.
        OverflowError: a price is larger than any.
    """
    length = _LENGTHS[every]
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if end <= start or (start - midnight) % length or (end - start) % length:
        raise ValueError(f"{start} to {end} is no whole number of periods of {every}")
    steps = _steps(require(changes, "spot_prices"), start, end)
    largest = steps["price"].abs().max() if steps.height else 0
    if isinstance(largest, int) and largest > LARGEST_UNITS:
        raise OverflowError(f"a spot price is {largest} pico-units; at most {LARGEST_UNITS} can be weighed")
    means = _weighed(steps, length, every)
    grid = (
        require(changes, "spot_prices")
        .select(KEY)
        .unique()
        .join(pl.DataFrame({"period_start": pl.datetime_range(start, end - length, every, eager=True)}), how="cross")
    )
    return (
        grid.join(means, on=[*KEY, "period_start"], how="left", nulls_equal=True)
        .with_columns(pl.col("known_seconds").fill_null(0))  # none of the period is known: that is a number
        .select(*KEY, "period_start", "mean_unit_price", "known_seconds")
        .sort(*KEY, "period_start", nulls_last=True)
    )


def _steps(changes: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    """From when to when each price held, within the range."""
    ordered = (
        changes.select(*KEY, "changed_at", price=units_of("unit_price"))
        .filter(pl.col("changed_at") < end)
        .group_by(*KEY, "changed_at")
        .agg(pl.col("price").max())
        .sort(*KEY, "changed_at")
    )
    return ordered.select(
        *KEY,
        "price",
        since=pl.max_horizontal("changed_at", pl.lit(start)),
        until=pl.col("changed_at").shift(-1).over(KEY).fill_null(end),
    ).filter(pl.col("since") < pl.col("until"))


def _weighed(steps: pl.DataFrame, length: timedelta, every: str) -> pl.DataFrame:
    """Means of the periods that a step reaches."""
    last = (pl.col("until") - pl.duration(microseconds=1)).dt.truncate(every)
    periods = pl.datetime_ranges(pl.col("since").dt.truncate(every), last, every, time_unit="us")
    parts = steps.with_columns(period_start=periods).explode("period_start")
    held = (
        pl.min_horizontal("until", pl.col("period_start") + length) - pl.max_horizontal("since", "period_start")
    ).dt.total_microseconds()
    totals = (
        parts.with_columns(held=held.cast(pl.Int128))
        .group_by(*KEY, "period_start")
        .agg(total=(pl.col("price") * pl.col("held")).sum(), held=pl.col("held").sum())
        .with_columns(whole=pl.col("total") // pl.col("held"))
        .with_columns(twice=(pl.col("total") - pl.col("whole") * pl.col("held")) * 2)
    )
    is_up = (pl.col("twice") > pl.col("held")) | ((pl.col("twice") == pl.col("held")) & (pl.col("whole") % 2 == 1))
    return totals.with_columns(mean=pl.col("whole") + is_up.cast(pl.Int128)).select(
        *KEY,
        "period_start",
        mean_unit_price=money_of("mean"),
        known_seconds=pl.col("held").reinterpret(dtype=_SECONDS),
    )
