"""The cost of every GPU-hour, for every billing period that is stale."""

from datetime import date

import pyarrow as pa

from contracts import conform, contract
from models.gpu_costs import gpu_costs
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets, summary
from pipelines.night.register import read_input

GPU_COSTS = "gpu_costs_hourly"


def build_gpu_costs(house: House, first: date, last: date) -> Built:
    """Splits the GPU charges of the billing periods that a run of the days first..last must rebuild."""
    output = contract(GPU_COSTS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        costs = gpu_costs(
            charge_groups=read_input(house, output, "charge_groups", target.slice_date),
            gpu_states=read_input(house, output, "gpu_states_hourly", target.slice_date),
            serving=read_input(house, output, "serving_hourly", target.slice_date),
            owners=read_input(house, output, "owners", target.slice_date),
        )
        pieces += replace_slices(house, output, conform(output, costs.to_arrow()), [target])
    return summary(output, [target.slice_date for target in targets], pieces)
