"""What dcgm-exporter's metrics mean here: which column, in which unit, and which numbers are readings at all.

Here belongs: the table of metrics and DCGM's values for "nothing". Here does not belong: where a line came from.
"""

import math
from functools import lru_cache
from typing import NamedTuple


class Metric(NamedTuple):
    """Column `slot` takes the value over `divisor`, where the value lies from 0 to `highest`."""

    slot: int
    highest: float
    divisor: float = 1.0


COLUMNS = (
    "sm_active_ratio",
    "gr_engine_active_ratio",
    "tensor_active_ratio",
    "dram_active_ratio",
    "gpu_util_ratio",
    "memory_used_mib",
    "memory_free_mib",
    "power_watts",
    "energy_millijoules",
    "xid_code",
    "encoder_active_ratio",
    "decoder_active_ratio",
)
WHOLE_NUMBERS = frozenset({"energy_millijoules", "xid_code"})

# Bounds tell a reading from garbage, not a good GPU from a bad one; percentages become ratios.
_UTIL = Metric(4, 100.0, 100.0)
_USED = Metric(5, 1e8)
_FREE = Metric(6, 1e8)
_POWER = Metric(7, 1e5)
_ENERGY = Metric(8, 9e15)  # beyond, a double no longer counts single millijoules
_XID = Metric(9, 1e6)
_ENCODER = Metric(10, 100.0, 100.0)
_DECODER = Metric(11, 100.0, 100.0)
METRICS = {
    "DCGM_FI_PROF_SM_ACTIVE": Metric(0, 1.0),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": Metric(1, 1.0),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": Metric(2, 1.0),
    "DCGM_FI_PROF_DRAM_ACTIVE": Metric(3, 1.0),
    "DCGM_FI_DEV_GPU_UTIL": _UTIL,
    "DCGM_FI_DEV_FB_USED": _USED,
    "DCGM_FI_DEV_FB_FREE": _FREE,
    "DCGM_FI_DEV_POWER_USAGE": _POWER,
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": _ENERGY,
    "DCGM_FI_DEV_XID_ERRORS": _XID,
    "DCGM_FI_DEV_ENC_UTIL": _ENCODER,
    "DCGM_FI_DEV_DEC_UTIL": _DECODER,
    # some collectors append the suffix that OpenMetrics wants of a counter
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION_total": _ENERGY,
    # exporters before 2.0
    "dcgm_gpu_utilization": _UTIL,
    "dcgm_fb_used": _USED,
    "dcgm_fb_free": _FREE,
    "dcgm_power_usage": _POWER,
    "dcgm_total_energy_consumption": _ENERGY,
    "dcgm_xid_errors": _XID,
    "dcgm_enc_utilization": _ENCODER,
    "dcgm_dec_utilization": _DECODER,
}

# Shares of time: their average over a step tells what went on between its ends. The exporter has a new reading every
# half a minute, and one of a minute is half of what it knows.
AVERAGED = {
    name: metric.highest
    for name, metric in METRICS.items()
    if COLUMNS[metric.slot].endswith("_ratio") and name.startswith("DCGM_")
}

# DCGM's "blank", "not found", "not supported" and "no permission" of its three number types, as ranges: an older
# exporter prints them like readings. The source is dcgm_structs.h. Asked only of numbers outside of a metric's bounds:
# energy, which is a 64-bit count, passes through the smaller blanks as readings.
_BLANKS = (
    (2147483632.0, 2147483647.0),
    (140737488355328.0, 140737488355343.0),
    (9.2233720368547e18, 9.2233720368548e18),
)

# Metrics of the exporter's usual counter files that say nothing about cost: read over, and kept in the landed page.
# Any other DCGM metric is new to us and goes to x_extra.
_SILENT_PARTS = (
    "CLOCK", "TEMP", "PCIE", "NVLINK", "NVSWITCH", "REMAP", "ECC", "RETIRED", "MEM_COPY_UTIL",
    "VGPU", "VIOLATION", "FB_RESERVED", "FB_TOTAL", "FB_USED_PERCENT", "OCCUPANCY", "PIPE_", "DRIVER", "SLOWDOWN",
    "DCGM_EXP_", "FAN_SPEED", "PSTATE", "INFOROM", "POWER_MGMT", "POWER_USAGE_INSTANT", "ENFORCED_POWER",
)  # fmt: skip


@lru_cache(maxsize=4096)
def is_silent(name: str) -> bool:
    """Whether a metric that has no column is a known one. OpenMetrics writes beside a counter when it began."""
    return name.endswith("_created") or any(part in name.upper() for part in _SILENT_PARTS)


def is_wanted(name: str) -> bool:
    """Whether a metric is read: one with a column, or one of DCGM's that is new to us.

    Exporters and federation endpoints also speak of themselves and of others.
    """
    return name in METRICS or (name[:5] in ("DCGM_", "dcgm_") and not is_silent(name))


def is_blank(value: float) -> bool:
    """Whether a number outside of a metric's bounds is the exporter's word for having no reading."""
    return math.isnan(value) or any(low <= value <= high for low, high in _BLANKS)
