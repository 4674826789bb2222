"""The cost of every GPU-hour, and of every GPU node by part, for every billing period that is stale."""

from dataclasses import replace
from datetime import date

import polars as pl
import pyarrow as pa

from connectors.wording import first_of
from contracts import conform, contract
from models.gpu_costs import gpu_costs
from models.node_prices import node_costs
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets, summary
from pipelines.night.register import read_input

GPU_COSTS, NODE_COSTS = "gpu_costs_hourly", "gpu_node_costs"


def build_gpu_costs(house: House, first: date, last: date) -> Built:
    """Splits the GPU charges of the billing periods that a run of the days first..last must rebuild."""
    output = contract(GPU_COSTS)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        costs = gpu_costs(
            charge_groups=read_input(house, output, "charge_groups", target.slice_date),
            gpu_states=read_input(house, output, "gpu_states_hourly", target.slice_date),
            pod_models=read_input(house, output, "pod_models", target.slice_date),
            gpu_labels=read_input(house, output, "gpu_labels", target.slice_date),
            owners=read_input(house, output, "owners", target.slice_date),
        )
        pieces += replace_slices(house, output, conform(output, costs.to_arrow()), [target])
    return summary(output, [target.slice_date for target in targets], pieces)


def build_node_costs(house: House, first: date, last: date) -> Built:
    """Splits GPU nodes' money into parts, for the billing periods that a run of the days first..last must rebuild."""
    output = contract(NODE_COSTS)
    pieces: list[pa.Table] = []
    unsplit: set[str] = set()
    targets = stale_targets(house, output, first, last)
    for target in targets:
        costs = node_costs(
            gpu_costs=read_input(house, output, GPU_COSTS, target.slice_date),
            lines=read_input(house, output, "gpu_node_lines", target.slice_date),
            sizes=read_input(house, output, "gpu_node_sizes", target.slice_date),
        )
        unsplit |= set(costs.filter(pl.col("split_method_id").is_null())["hostname"])
        pieces += replace_slices(house, output, conform(output, costs.to_arrow()), [target])
    built = summary(output, [target.slice_date for target in targets], pieces)
    return replace(built, note=_unsplit(sorted(unsplit)))


def _unsplit(hostnames: list[str]) -> str:
    """Which nodes' money is not split; empty when all is."""
    if not hostnames:
        return ""
    named = first_of(hostnames)
    return f"cores and memory of {named} are not known (hosts: vcpus, memory_gib): their cost is not split"
