"""What one GPU or MIG instance says of itself at one instant, in the driver's own units.

Here belongs: which question gives which field. Here does not belong: which GPUs there are, who holds them, files.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import pynvml

from pipelines.sampler.driver import NOT_AVAILABLE, Errors, ask

Fields = dict[str, Any]
"""Fields of a line. What is not known is absent."""

_PROFILE = re.compile(r"MIG (?:\d+c\.)?(\d+g\.\d+gb(?:[+.-][\w.+-]+)?)")


def utilisation(device: Any, errors: Errors) -> Fields:
    """Shares of time with a kernel, a memory access, an encoder or a decoder at work, in percent.

    The driver measures over its own last 1/6 to 1 second. A partitioned GPU has none.
    """
    rates = ask(errors, "utilisation", pynvml.nvmlDeviceGetUtilizationRates, device)
    encoder = ask(errors, "encoder", pynvml.nvmlDeviceGetEncoderUtilization, device)
    decoder = ask(errors, "decoder", pynvml.nvmlDeviceGetDecoderUtilization, device)
    return _known(
        util_gpu_pct=rates and rates.gpu,
        util_memory_pct=rates and rates.memory,
        util_encoder_pct=encoder and encoder[0],
        util_decoder_pct=decoder and decoder[0],
    )


def memory(device: Any, errors: Errors) -> Fields:
    """Bytes of framebuffer. What the driver keeps for itself stands apart, unless it is too old to tell it apart."""
    found = ask(errors, "memory", pynvml.nvmlDeviceGetMemoryInfo, device, pynvml.nvmlMemory_v2)
    if found is not None:
        return _sizes(found, ("total", "used", "free", "reserved"))
    found = ask(errors, "memory_v1", pynvml.nvmlDeviceGetMemoryInfo, device)
    return {} if found is None else {**_sizes(found, ("total", "free")), "memory_used_with_reserved_bytes": found.used}


def power(device: Any, errors: Errors) -> Fields:
    """Milliwatts drawn, and millijoules since the driver loaded: a counter."""
    return _known(
        power_mw=ask(errors, "power", pynvml.nvmlDeviceGetPowerUsage, device),
        energy_mj=ask(errors, "energy", pynvml.nvmlDeviceGetTotalEnergyConsumption, device),
    )


def health(device: Any, errors: Errors) -> Fields:
    """ECC errors since the driver loaded, pages that were retired and rows that were remapped."""
    corrected, uncorrected = (
        ask(errors, name, pynvml.nvmlDeviceGetTotalEccErrors, device, kind, pynvml.NVML_VOLATILE_ECC)
        for name, kind in (
            ("ecc_corrected", pynvml.NVML_MEMORY_ERROR_TYPE_CORRECTED),
            ("ecc_uncorrected", pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED),
        )
    )
    remapped = ask(errors, "remapped_rows", pynvml.nvmlDeviceGetRemappedRows, device) or (None,) * 4
    retired = [
        ask(errors, "retired_pages", pynvml.nvmlDeviceGetRetiredPages, device, cause)
        for cause in range(pynvml.NVML_PAGE_RETIREMENT_CAUSE_COUNT)
    ]
    return _known(
        ecc_corrected=corrected,
        ecc_uncorrected=uncorrected,
        remapped_rows_corrected=remapped[0],
        remapped_rows_uncorrected=remapped[1],
        remapping_is_pending=remapped[2],
        remapping_has_failed=remapped[3],
        retired_pages=None if None in retired else sum(len(pages or ()) for pages in retired),
        retirement_is_pending=ask(errors, "retirement", pynvml.nvmlDeviceGetRetiredPagesPendingStatus, device),
    )


def mig_modes(device: Any, errors: Errors) -> Fields:
    """Whether the GPU is partitioned now, and whether it will be after its next reset."""
    modes = ask(errors, "mig_mode", pynvml.nvmlDeviceGetMigMode, device)
    return {} if modes is None else {"mig_mode": modes[0], "mig_mode_pending": modes[1]}


def mig_profile(name: str | None, device: Any, errors: Errors) -> str | None:
    """The profile of an instance, 3g.40gb say: from its name; the number of its compute slices, 3g, without one."""
    found = _PROFILE.search(name or "")
    if found:
        return found[1]
    attributes = ask(errors, "attributes", pynvml.nvmlDeviceGetAttributes_v2, device)
    return f"{attributes.gpuInstanceSliceCount}g" if attributes else None


def text(errors: Errors, name: str, call: Callable[..., Any], device: Any) -> str | None:
    """A name that the driver gives; older bindings give bytes."""
    found = ask(errors, name, call, device)
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def finite(value: Any) -> Any:
    """The number, or None for what is none."""
    return value if math.isfinite(value) else None


def _sizes(found: Any, names: tuple[str, ...]) -> Fields:
    sizes: Mapping[str, int] = {f"memory_{name}_bytes": getattr(found, name) for name in names}
    return {name: size for name, size in sizes.items() if size != NOT_AVAILABLE}


def _known(**fields: Any) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}
