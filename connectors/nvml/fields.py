"""The fields of a line that are columns: their names in the spool, their units, and what is a reading at all.

Here belongs: the table. Here does not belong: lines, holders.
"""

from typing import NamedTuple


class Number(NamedTuple):
    """A column that takes the field over `divisor`, where the field lies from 0 to `highest`."""

    column: str
    field: str
    highest: float
    divisor: float = 1.0
    is_whole: bool = False


def _percent(column: str, field: str) -> Number:
    return Number(column, field, 100.0, 100.0)


_MIB = float(1 << 20)
# Bounds tell a reading from garbage, not a good GPU from a bad one.
NUMBERS = (
    _percent("sm_active_ratio", "gpm_sm_pct"),
    _percent("gr_engine_active_ratio", "gpm_graphics_pct"),
    _percent("tensor_active_ratio", "gpm_tensor_pct"),
    _percent("dram_active_ratio", "gpm_dram_pct"),
    _percent("encoder_active_ratio", "util_encoder_pct"),
    _percent("decoder_active_ratio", "util_decoder_pct"),
    _percent("gpu_util_ratio", "util_gpu_pct"),
    Number("memory_used_mib", "memory_used_bytes", 1e14, _MIB),
    Number("memory_free_mib", "memory_free_bytes", 1e14, _MIB),
    Number("power_watts", "power_mw", 1e8, 1000.0),
    Number("energy_millijoules", "energy_mj", 9e15, is_whole=True),
    Number("xid_code", "xid", 1e6, is_whole=True),
)
SHARE = Number("holder_sm_ratio", "sm_pct", 100.0, 100.0)

# Fields that are read on their own, and those that have no column and go to x_extra without a word.
HEAD = frozenset(
    {"v", "at_ms", "host", "instance_id", "gpu_index", "gpu_uuid", "gpu_name", "mig_instance", "mig_profile", "holders"}
)
KEPT = frozenset(
    {
        "errors", "mig_uuid", "mig_mode", "mig_mode_pending", "util_memory_pct", "gpm_sm_occupancy_pct",
        "memory_total_bytes", "memory_reserved_bytes", "memory_used_with_reserved_bytes", "energy_was_reset",
        "new_xids", "ecc_corrected", "ecc_uncorrected", "remapped_rows_corrected", "remapped_rows_uncorrected",
        "remapping_is_pending", "remapping_has_failed", "retired_pages", "retirement_is_pending",
    }
)  # fmt: skip
READ = HEAD | {number.field for number in NUMBERS}
HOLDER_KNOWN = frozenset(
    {
        "kind", "pod_uid", "container_id", "job", "namespace", "pod", "container", "running", "memory_bytes", "sm_pct",
        "memory_pct", "encoder_pct", "decoder_pct",
    }
)  # fmt: skip
