"""Advice on commitments, for every billing period that is stale, from its hours and those of the months before."""

from datetime import date, datetime

import pyarrow as pa

from contracts import conform, contract
from models.commitment_advice import TABLE as ADVICE
from models.commitment_advice import commitment_advice
from models.frames import frame_of
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.older_inputs import older_inputs
from pipelines.night.stale import input_range

INPUTS = ("machine_use", "commitment_hours", "machine_prices")


def build_commitment_advice(house: House, first: date, last: date) -> Built:
    """Advises for the billing periods that a run of the days first..last must rebuild."""
    output = contract(ADVICE)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        use, hours, prices = (
            frame_of(house.lake.read(name, *input_range(output, contract(name), target.slice_date))) for name in INPUTS
        )
        found = commitment_advice(use, hours, prices, datetime.combine(target.slice_date, datetime.min.time()))
        pieces += replace_slices(house, output, conform(output, found.to_arrow()), [target])
    rows = pa.concat_tables(pieces) if pieces else None
    advised = sum(value is not None for value in rows["advised_machines"].to_pylist()) if rows is not None else 0
    note = f"{advised:,} commitments that would have saved money" if advised else ""
    dates, row_count = tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces)
    problems = older_inputs(house, ADVICE, targets, output.months_before, first, last)
    return Built(ADVICE, dates, row_count, note=note, problems=problems)
