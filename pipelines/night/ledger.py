"""The allocation journal of every billing period that is stale, and the proof that it balances."""

from datetime import date, timedelta

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.frames import frame_of
from models.ledger import check_conservation, post
from pipelines.calendar import month_start, next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.register import read_input
from pipelines.night.stale import HORIZON_DAYS

POSTINGS = "postings"


def build_postings(house: House, first: date, last: date) -> Built:
    """Posts the billing periods that a run of the days first..last must rebuild."""
    output = contract(POSTINGS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        postings = post(
            charge_groups=read_input(house, output, "charge_groups", target.slice_date),
            usage=read_input(house, output, "usage_by_team_daily", target.slice_date),
            gpu_states=read_input(house, output, "gpu_states_hourly", target.slice_date),
            pod_models=read_input(house, output, "pod_models", target.slice_date),
            gpu_labels=read_input(house, output, "gpu_labels", target.slice_date),
            owners=read_input(house, output, "owners", target.slice_date),
            pools=house.config.shared_pools,
        )
        pieces += replace_slices(house, output, conform(output, postings.to_arrow()), [target])
    # no sum of money: the journal moves each amount several times
    return Built(POSTINGS, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def breaks(house: House, first: date, last: date) -> pl.DataFrame:
    """Where the journal does not balance to the last unit, in every period that a run of those days may rebuild."""
    start, end = month_start(first - timedelta(days=HORIZON_DAYS)), next_month(last)
    charges = frame_of(house.lake.read("charge_groups", start, end))
    return check_conservation(charges, frame_of(house.lake.read(POSTINGS, start, end)))
