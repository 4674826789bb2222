"""The whole graph, assembled by a function so that tests and the command line get a fresh one with their own house."""

import warnings
from typing import Any

import dagster as dg

from pipelines.assets.checks import all_checks
from pipelines.assets.published import publishing_assets
from pipelines.assets.resources import house_resource
from pipelines.assets.staged import staged_assets
from pipelines.assets.tables import reference_assets, table_assets

NIGHTLY = "nightly"


def build_defs(*, house: Any = house_resource) -> dg.Definitions:
    """Assets, checks, the nightly job and its schedule. `house` may be an open House, for runs in this process."""
    with warnings.catch_warnings():
        # single-run backfills and partitioned checks: both marked as young by Dagster, both tested here
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        assets = [*staged_assets(), *reference_assets(), *table_assets(), *publishing_assets()]
        checks = all_checks()
    nightly = dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.all(),
        description="Yesterday, end to end: pull, stage, price, allocate, check, publish, state, mail.",
        tags={"dagster/max_runtime": "21600"},
    )
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[nightly],
        schedules=[
            # providers close their UTC day within hours; half past five leaves time to read before work
            dg.build_schedule_from_partitioned_job(
                nightly, name="nightly_at_0530_utc", hour_of_day=5, minute_of_hour=30
            )
        ],
        resources={"house": house},
        # one process: the engines use the cores, and the lake has one writer
        executor=dg.in_process_executor,
    )


defs = build_defs()
