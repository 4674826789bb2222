"""The hours of every commitment, for every billing period that is stale."""

from datetime import date

import pyarrow as pa

from contracts import conform, contract
from models.commitment_hours import commitment_hours
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets

HOURS = "commitment_hours"


def build_commitment_hours(house: House, first: date, last: date) -> Built:
    """Spreads the commitments of the billing periods that a run of the days first..last must rebuild."""
    output = contract(HOURS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        lines = house.lake.read("commitment_lines", target.slice_date, next_month(target.slice_date))
        pieces += replace_slices(house, output, conform(output, commitment_hours(frame_of(lines)).to_arrow()), [target])
    return Built(HOURS, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))
