"""The table of DCGM's metrics in `docs/gpus.md`: which column each fills, and what that column decides."""

from collections import defaultdict

from connectors.dcgm.metrics import COLUMNS, METRICS
from pipelines.documents.table import table

_LEAST = "the least that activity can be; with SMs told, part of it"
_VIDEO = "beside activity, whichever is higher; alone it can say that a GPU works, not how well"
_NOTHING = "nothing"
_DECIDES = {
    "sm_active_ratio": "working or a lull, and how well; activity is the busiest of SMs, memory and tensor pipes",
    "dram_active_ratio": _LEAST,
    "tensor_active_ratio": _LEAST,
    "gr_engine_active_ratio": "without SMs the most that they can be: low, a lull or how much was left at least; "
    "high, work and not how well. Beside SMs, from 0.5 on, working",
    "gpu_util_ratio": "idleness up to `utilisation_up_to`, where neither SMs nor the engine is told; from 0.5 on, work "
    "and not how well; under MIG nothing",
    "encoder_active_ratio": _VIDEO,
    "decoder_active_ratio": _VIDEO,
    "xid_code": "unhealthy, where the code is fatal and the GPU rests under it",
    "memory_used_mib": _NOTHING,
    "memory_free_mib": _NOTHING,
    "power_watts": _NOTHING,
    "energy_millijoules": _NOTHING,
}


def gpu_metrics_table() -> str:
    """One row a column of `gpu_samples`: the metrics that fill it, and the states that it decides."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, metric in METRICS.items():
        names[COLUMNS[metric.slot]].append(f"`{name}`")
    rows = [[f"`{column}`", ", ".join(names[column]), decides] for column, decides in _DECIDES.items()]
    return table(["column", "DCGM's metrics", "decides"], rows)
