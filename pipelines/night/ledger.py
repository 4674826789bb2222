"""The allocation journal of every billing period that is stale, and the proof that it balances."""

from datetime import date

import polars as pl
import pyarrow as pa

from contracts import Contract, conform, contract
from models.frames import frame_of
from models.ledger import check_conservation, post
from models.policy import Policy
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.closings import locked_months
from pipelines.night.known_errors import known_errors
from pipelines.night.register import read_input
from pipelines.night.stale import reach

POSTINGS = "postings"


def build_postings(house: House, first: date, last: date) -> Built:
    """Posts the billing periods that a run of the days first..last must rebuild; none that is locked."""
    output = contract(POSTINGS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        pieces += replace_slices(house, output, post_period(house, output, target.slice_date), [target])
    # no sum of money: the journal moves each amount several times
    return Built(POSTINGS, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def post_period(house: House, output: Contract, period: date) -> pa.Table:
    """One billing period as it is posted from what the lake holds now, in the shape of `output`."""
    postings = post(
        charge_groups=read_input(house, output, "charge_groups", period),
        usage=read_input(house, output, "usage_by_team_daily", period),
        gpu_states=read_input(house, output, "gpu_states_hourly", period),
        pod_models=read_input(house, output, "pod_models", period),
        gpu_labels=read_input(house, output, "gpu_labels", period),
        owners=read_input(house, output, "owners", period),
        pools=house.config.shared_pools,
        policy=Policy(
            errata=tuple(known_errors(house)),
            unused=tuple(rule.resolved() for rule in house.config.unused),
            deployments=read_input(house, output, "provisioned_deployments", period),
            metrics=read_input(house, output, "pool_metrics", period),
            is_unlogged_apart=house.config.token_log.unlogged == "apart",
            is_cache_pooled=house.config.prompt_cache.writes == "by_reads",
        ),
    )
    return conform(output, postings.to_arrow())


def breaks(house: House, first: date, last: date) -> pl.DataFrame:
    """Where the journal does not balance to the last unit, in every period that a run of those days may rebuild.

    A locked month balanced when it was locked; what its bill says since is held against its adjustments.
    """
    start, end = reach(first), next_month(last)
    is_unlocked = ~pl.col("billing_period").is_in(sorted(locked_months(house)))
    charges = frame_of(house.lake.read("charge_groups", start, end)).filter(is_unlocked)
    return check_conservation(charges, frame_of(house.lake.read(POSTINGS, start, end)).filter(is_unlocked))
