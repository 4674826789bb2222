"""GPU performance monitoring (Hopper and later): what the SMs really did, averaged from one round to the next.

The driver counts; two readings of its counters give the mean in between, so that nothing is missed between samples.
Function reference: NVML API, section "GPM Functions".
"""

from typing import Any

import pynvml

from pipelines.sampler.driver import Errors, ask
from pipelines.sampler.readings import Fields, finite

METRICS = {
    pynvml.NVML_GPM_METRIC_GRAPHICS_UTIL: "gpm_graphics_pct",
    pynvml.NVML_GPM_METRIC_SM_UTIL: "gpm_sm_pct",
    pynvml.NVML_GPM_METRIC_SM_OCCUPANCY: "gpm_sm_occupancy_pct",
    pynvml.NVML_GPM_METRIC_ANY_TENSOR_UTIL: "gpm_tensor_pct",
    pynvml.NVML_GPM_METRIC_DRAM_BW_UTIL: "gpm_dram_pct",
}
_NOT_SUPPORTED = 3


class Monitor:
    """Keeps the last reading of each GPU and MIG instance. Its memory is the driver's: `close` gives it back."""

    def __init__(self) -> None:
        self._question: Any = pynvml.c_nvmlGpmMetricsGet_t()
        self._question.version = pynvml.NVML_GPM_METRICS_GET_VERSION
        self._question.numMetrics = len(METRICS)
        self._is_supported: dict[str, bool] = {}
        self._last: dict[str, Any] = {}
        self._spare: dict[str, Any] = {}
        self._touched: set[str] = set()

    def read(self, gpu: Any, gpu_uuid: str, instance: int | None, errors: Errors) -> Fields:
        """Means since the round before, in percent; nothing at a GPU's first. `instance` is a MIG instance's number."""
        if not self._supports(gpu, gpu_uuid, errors):
            return {}
        subject = gpu_uuid if instance is None else f"{gpu_uuid}/{instance}"
        sample = self._spare.pop(subject, None) or ask(errors, "gpm", pynvml.nvmlGpmSampleAlloc)
        if sample is None:
            return {}
        if instance is None:
            taken = ask(errors, "gpm", pynvml.nvmlGpmSampleGet, gpu, sample)
        else:
            taken = ask(errors, "gpm", pynvml.nvmlGpmMigSampleGet, gpu, instance, sample)
        self._touched.add(subject)
        if taken is None:
            self._spare[subject] = sample
            return {}
        before, self._last[subject] = self._last.get(subject), sample
        if before is None:
            return {}
        self._spare[subject] = before
        return self._between(before, sample, errors)

    def forget_absent(self) -> None:
        """Ends a round: gives back what belonged to GPUs and instances that are gone."""
        for kept in (self._last, self._spare):
            for subject in [subject for subject in kept if subject not in self._touched]:
                ask({}, "gpm", pynvml.nvmlGpmSampleFree, kept.pop(subject))
        self._touched.clear()

    def close(self) -> None:
        """Gives everything back."""
        self._touched.clear()
        self.forget_absent()

    def _supports(self, gpu: Any, gpu_uuid: str, errors: Errors) -> bool:
        known = self._is_supported.get(gpu_uuid)
        if known is None:
            answer = ask(errors, "gpm", pynvml.nvmlGpmQueryDeviceSupport, gpu)
            if answer is None:  # it is asked again: a GPU may be lost for a while, a permission be given
                return False
            known = self._is_supported[gpu_uuid] = bool(answer.isSupportedDevice)
        if not known:
            errors["gpm"] = _NOT_SUPPORTED
        return known

    def _between(self, before: Any, after: Any, errors: Errors) -> Fields:
        self._question.sample1, self._question.sample2 = before, after
        for place, number in enumerate(METRICS):
            self._question.metrics[place].metricId = number
        answer = ask(errors, "gpm", pynvml.nvmlGpmMetricsGet, self._question)
        found: Fields = {}
        for metric in answer.metrics[: len(METRICS)] if answer else ():
            name = METRICS[metric.metricId]
            if metric.nvmlReturn:
                errors[name] = metric.nvmlReturn
            elif (value := finite(metric.value)) is not None:
                found[name] = round(value, 4)
        return found
