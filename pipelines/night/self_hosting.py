"""What own models cost and what their pods cost before and after their work, for every day that is stale."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.frames import frame_of
from models.scaling import scaling_costs
from models.self_hosted_costs import self_hosted_costs
from pipelines.calendar import month_start
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets, summary
from pipelines.night.exchange_rates import usd_rates
from pipelines.night.stale import input_range

SELF_HOSTED, SCALING = "self_hosted_costs", "scaling_costs"

Read = Callable[[str], pl.DataFrame]


def build_self_hosted_costs(house: House, first: date, last: date) -> Built:
    """Sets GPU money against tokens, for the days that a run of the days first..last must rebuild."""
    rates = usd_rates(house)

    def compute(read: Read, _: Sequence[date]) -> pl.DataFrame:
        return self_hosted_costs(
            gpu_costs=read("gpu_costs_hourly"),
            serving=read("serving_hourly"),
            logged=read("self_hosted_usage"),
            usd_rates=rates,
            pools=[pool for pool in house.config.shared_pools if pool.model_id],
        )

    return _build(house, SELF_HOSTED, first, last, compute)


def build_scaling_costs(house: House, first: date, last: date) -> Built:
    """Finds starts, releases and queues, for the days that a run of the days first..last must rebuild."""

    def compute(read: Read, days: Sequence[date]) -> pl.DataFrame:
        return scaling_costs(
            allocations=read("gpu_allocations"),
            sightings=read("node_sightings"),
            serving=read("serving_hourly"),
            gpu_costs=read("gpu_costs_hourly"),
            days=days,
        )

    return _build(house, SCALING, first, last, compute)


def _build(
    house: House, table: str, first: date, last: date, compute: Callable[[Read, Sequence[date]], pl.DataFrame]
) -> Built:
    """A month of stale days at a time: what they read is read once."""
    output = contract(table)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for _, group in groupby(targets, key=lambda target: month_start(target.slice_date)):
        month = list(group)
        days = [target.slice_date for target in month]

        def read(name: str, days: Sequence[date] = days) -> pl.DataFrame:
            ranges = [input_range(output, contract(name), day) for day in days]
            return frame_of(house.lake.read(name, min(start for start, _ in ranges), max(end for _, end in ranges)))

        pieces += replace_slices(house, output, conform(output, compute(read, days).to_arrow()), month)
    return summary(output, [target.slice_date for target in targets], pieces)
