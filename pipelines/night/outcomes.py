"""Outcomes counted once, for every day that is stale, and what they cost, anew every night from daily sums."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.frames import frame_of
from models.outcome_events import outcome_events
from models.outcome_kinds import HORIZON_DAYS
from models.unit_costs import DAYS_TOLD, MONTHS_TOLD, unit_costs
from pipelines.calendar import month_start, months_before
from pipelines.house import House
from pipelines.night.build import SLICE_SOURCE, Built, replace_slices, stale_targets, summary
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.stale import content_fingerprint, input_range

EVENTS, SHARES, COHORTS, UNIT_COSTS = "outcome_events", "outcome_shares", "outcome_cohorts", "unit_costs"
_DELAYS = ["outcome_kind", "cohort_date", "age_days", "method", "share"]


def build_outcome_events(house: House, first: date, last: date) -> Built:
    """Counts every outcome once, for the days that a run of the days first..last must rebuild.

    Events of kinds that the configuration does not declare are left aside, and told.
    """
    output = contract(EVENTS)
    kinds = house.config.outcome_kinds
    pieces: list[pa.Table] = []
    undeclared: set[str] = set()
    targets = stale_targets(house, output, first, last)
    for _, group in groupby(targets, key=lambda target: month_start(target.slice_date)):
        month = list(group)
        days = [target.slice_date for target in month]
        read = {name: _read(house, name, days) for name in output.depends_on}
        found = outcome_events(read["outcomes"], read["outcome_scores"], read["outcome_traces"], kinds)
        pieces += replace_slices(house, output, conform(output, found.to_arrow()), month)
        undeclared |= set(read["outcomes"]["outcome_kind"].unique().to_list()) - {kind.name for kind in kinds}
    built = summary(output, [target.slice_date for target in targets], pieces)
    note = "; ".join(filter(None, (_conflicts(pieces), _late(pieces))))
    return Built(EVENTS, built.slices, built.row_count, note=note, problems=_unknown(undeclared))


def build_unit_costs(house: House, _first: date, _last: date) -> Built:
    """Sets money against outcomes, for every month and the last days. It follows from what the lake holds."""
    kinds = house.config.outcome_kinds
    as_of = max((piece.slice_date for piece in house.lake.slices(SHARES)), default=REFERENCE_DATE)
    end = as_of + timedelta(days=2)  # a request may be logged a moment after its outcome, on the next day
    cohorts = frame_of(house.lake.read(COHORTS, months_before(month_start(as_of), MONTHS_TOLD - 1), end))
    shares = house.lake.dataset(SHARES, as_of - timedelta(days=DAYS_TOLD), end).to_table(columns=_DELAYS)
    met = frame_of(shares).filter(pl.col("method") != "none")
    delays = met.group_by("outcome_kind", "cohort_date", "age_days").agg(pl.col("share").sum())
    found = unit_costs(cohorts, delays, kinds, as_of)
    rows = conform(contract(UNIT_COSTS), found.to_arrow())
    house.lake.replace_slice(UNIT_COSTS, REFERENCE_DATE, SLICE_SOURCE, rows, content_fingerprint(rows))
    return Built(UNIT_COSTS, (REFERENCE_DATE,), rows.num_rows, problems=_silent(house, cohorts))


def _read(house: House, name: str, days: Sequence[date]) -> pl.DataFrame:
    ranges = [input_range(contract(EVENTS), contract(name), day) for day in days]
    return frame_of(house.lake.read(name, min(start for start, _ in ranges), max(end for _, end in ranges)))


def _conflicts(pieces: Sequence[pa.Table]) -> str:
    count = sum(sum(piece["conflict_count"].to_pylist()) for piece in pieces)
    return f"{count} events contradict what was told before" if count else ""


def _unknown(names: set[str]) -> tuple[str, ...]:
    return tuple(
        f"outcomes: events of the kind '{name}' are counted nowhere: declare it under outcomes, or correct the source"
        for name in sorted(names)
    )


def _late(pieces: Sequence[pa.Table]) -> str:
    """Reversals of what was told too long before, or never: what they take back stays what it was."""
    events = pl.concat([frame_of(piece) for piece in pieces]) if pieces else pl.DataFrame()
    count = 0 if events.is_empty() else events.filter(pl.col("is_reversed") & (pl.col("event_count") == 1)).height
    return (
        f"{count} reversals come more than {HORIZON_DAYS} days after what they take back, or without it"
        if count
        else ""
    )


def _silent(house: House, cohorts: pl.DataFrame) -> tuple[str, ...]:
    """Kinds that no request serves: a slip in a feature's or a key's name."""
    served = set(cohorts.filter(pl.col("trace_count") > 0)["outcome_kind"].unique().to_list())
    logged = bool(house.lake.slices("gateway_requests"))
    return tuple(
        f"outcomes: no request serves '{kind.name}': look at its features, and at outcome_keys of the log"
        for kind in house.config.outcome_kinds
        if logged and kind.name not in served
    )
