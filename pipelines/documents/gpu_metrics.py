"""The table of DCGM's metrics in `docs/gpus.md`: which column each fills, and what that column decides."""

from collections import defaultdict

from connectors.dcgm.metrics import COLUMNS, METRICS
from pipelines.documents.table import table

_ACTIVITY = "working or a lull; the busiest of the three counts, before any other metric"
_VIDEO = "beside activity, whichever is higher; alone it can say that a GPU is no lull"
_NOTHING = "nothing"
_DECIDES = {
    "sm_active_ratio": _ACTIVITY,
    "dram_active_ratio": _ACTIVITY,
    "tensor_active_ratio": _ACTIVITY,
    "gr_engine_active_ratio": "working or a lull, where none of the three is told; from 0.5 on, working beside them",
    "gpu_util_ratio": "idleness up to `utilisation_up_to`, where no activity is told; from 0.5 on, working "
    "beside one that is told; under MIG nothing",
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
