"""Provisioned throughput: the minutes of every day that is stale, and advice for every billing period that is.

Minutes are read day by day, and packed: a month of them is never in memory as rows.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.frames import frame_of
from models.provisioned_advice import PROVIDER_ID, provisioned_advice
from models.provisioned_advice import TABLE as PROVISIONED
from models.provisioned_minutes import TIERS, DayMinutes, Model, day_minutes
from pipelines.house import House
from pipelines.model_minutes import MINUTES, known_days
from pipelines.night.build import Built, read_view, replace_slices, stale_targets
from pipelines.night.exchange_rates import usd_rates
from pipelines.night.stale import input_range
from pipelines.provisioned_units import terms_by_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPLOYMENTS, PRICES = "provisioned_deployments", "provisioned_prices"


def build_provisioned_minutes(house: House, first: date, last: date) -> Built:
    """Keeps the minutes of the days that a run of the days first..last must rebuild, of models sold as units."""
    output = contract(MINUTES)
    targets = stale_targets(house, output, first, last)
    names = _sold_names(house) if targets else {}
    pieces: list[pa.Table] = []
    for target in targets:
        pieces += replace_slices(house, output, _minutes(house, names, target.slice_date), [target])
    return Built(MINUTES, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def _sold_names(house: House) -> dict[tuple[str, str], str]:
    """The models whose units are known, by the names that logs and bills have for them."""
    known = {model for of_scope in terms_by_scope().values() for model in of_scope}
    rows = house.lake.read("model_identity").to_pylist()
    return {
        (row["source_provider"], row["source_model"]): row["model_id"]
        for row in rows
        if row["provider_id"] == PROVIDER_ID and row["model_id"] in known
    }


def _minutes(house: House, names: "Mapping[tuple[str, str], str]", day: date) -> pa.Table:
    """The day's minutes of these models; its log is not read where it has none of their names."""
    output = contract(MINUTES)
    used = house.lake.read("models_in_use", day, day + timedelta(days=1)).to_pylist()
    models = {names.get((row["source_provider"], row["source_model"])) for row in used} - {None}
    if not models:
        return output.arrow_schema().empty_table()
    rows = frame_of(read_view(house, contract("usage_by_minute"), day))
    mine = rows.filter(
        pl.col("provider_id") == PROVIDER_ID, pl.col("model_id").is_in(models), pl.col("service_tier").is_in(TIERS)
    )
    return conform(output, mine.to_arrow())


def build_provisioned_advice(house: House, first: date, last: date) -> Built:
    """Advises for the billing periods that a run of the days first..last must rebuild."""
    output = contract(PROVISIONED)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        month = target.slice_date
        deployments, prices = (
            frame_of(house.lake.read(name, *input_range(output, contract(name), month)))
            for name in (DEPLOYMENTS, PRICES)
        )
        days = _days(house, month)
        found = provisioned_advice(days, deployments, prices, month, terms_by_scope(), usd_rates(house))
        pieces += replace_slices(house, output, conform(output, found.to_arrow()), [target])
    rows = pa.concat_tables(pieces) if pieces else None
    dates = tuple(target.slice_date for target in targets)
    return Built(PROVISIONED, dates, sum(piece.num_rows for piece in pieces), note=_note(rows))


def _note(rows: pa.Table | None) -> str:
    """How many models would have cost less with another number of units, each in a region and a month."""
    if rows is None:
        return ""
    advised = frame_of(rows).drop_nulls("advised_units").n_unique(["billing_period", "model_id", "region_id"])
    if not advised:
        return ""
    return f"{advised:,} {'model' if advised == 1 else 'models'} by region would cost less with another number of units"


def _days(house: House, month: date) -> "Mapping[date, Mapping[Model, DayMinutes]]":
    """The month's days that the log told of, also those of no request; by day the minutes of each model."""
    found: dict[date, dict[Model, DayMinutes]] = {}
    for day, is_kept in known_days(house, month)[0].items():
        rows = house.lake.read(MINUTES, day, day + timedelta(days=1)) if is_kept else None
        found[day] = day_minutes(frame_of(rows)) if rows is not None else {}
    return found
