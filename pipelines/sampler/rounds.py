"""One round over all GPUs of the node: a line for each GPU and each MIG instance.

Here belongs: which GPUs and instances there are, what is remembered of them from round to round. Here does not belong:
single questions (`readings`, `gpm`, `running`, `faults`), when rounds are, and where lines go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pynvml

from pipelines.sampler import readings
from pipelines.sampler.driver import DriverLostError, Errors, ask, close_driver, count_gpus, open_driver
from pipelines.sampler.faults import Faults
from pipelines.sampler.gpm import Monitor
from pipelines.sampler.holders import Holders
from pipelines.sampler.readings import Fields
from pipelines.sampler.running import Running


class Gpu(NamedTuple):
    """A GPU as the driver last named it."""

    gpu_index: int
    gpu_uuid: str
    gpu_name: str | None


@dataclass
class Rounds:
    """An open driver, and what is remembered of its GPUs.

    `health_every` is the number of rounds between questions for health. `energy` holds the last counters by GPU: it
    outlives the driver, which begins them anew when it is loaded.
    """

    holders: Holders
    health_every: int
    energy: dict[str, int]
    _monitor: Monitor = field(default_factory=Monitor)
    _faults: Faults = field(default_factory=Faults)
    _gpus: dict[int, Gpu] = field(default_factory=dict[int, Gpu])
    _count: int = 0

    def __post_init__(self) -> None:
        self._running = Running(self.holders)

    def read(self) -> list[Fields]:
        """The lines of a round. Raises DriverLostError when the driver answers nothing."""
        self.holders.begin_round()
        count = count_gpus()
        self._faults.collect()
        found = [line for index in range(count) for line in self._gpu_lines(index)]
        self._monitor.forget_absent()
        self._count += 1
        return found

    def close(self) -> None:
        """Lets go of the driver, whatever it answers."""
        for step in (self._monitor.close, self._faults.close, close_driver):
            try:
                step()
            except DriverLostError:
                continue

    def _gpu_lines(self, index: int) -> Iterator[Fields]:
        errors: Errors = {}
        device = ask(errors, "gpu", pynvml.nvmlDeviceGetHandleByIndex, index)
        gpu = None if device is None else self._named(index, device, errors)
        if device is None or gpu is None:  # lost: it is the one that was there before, if any was
            known = self._gpus.get(index)
            fault = self._faults.of(known.gpu_uuid, None) if known else {}
            yield {**(known._asdict() if known else {"gpu_index": index}), **fault, "errors": errors}
            return
        self._gpus[index] = gpu
        whole = self._whole(gpu, device, errors)
        is_partitioned = whole.get("mig_mode") == 1  # then nobody holds it as a whole
        whole["holders"] = [] if is_partitioned else self._running.on([device], gpu.gpu_uuid, errors)
        yield _line(gpu, whole, errors)
        if is_partitioned:
            yield from self._instance_lines(gpu, device, errors)

    def _named(self, index: int, device: Any, errors: Errors) -> Gpu | None:
        gpu_uuid = readings.text(errors, "uuid", pynvml.nvmlDeviceGetUUID, device)
        name = readings.text(errors, "name", pynvml.nvmlDeviceGetName, device)
        return None if gpu_uuid is None else Gpu(index, gpu_uuid, name)

    def _whole(self, gpu: Gpu, device: Any, errors: Errors) -> Fields:
        """What is said of the whole GPU, partitioned or not."""
        self._faults.watch(device, gpu.gpu_uuid, errors)
        fields = {
            **readings.mig_modes(device, errors),
            **readings.utilisation(device, errors),
            **self._monitor.read(device, gpu.gpu_uuid, None, errors),
            **readings.memory(device, errors),
            **readings.power(device, errors),
        }
        if self._count % self.health_every == 0:
            fields |= readings.health(device, errors)
        if self._has_begun_anew(gpu.gpu_uuid, fields.get("energy_mj")):
            fields["energy_was_reset"] = True
            self._faults.forget(gpu.gpu_uuid)
        return {**fields, **self._faults.of(gpu.gpu_uuid, None)}

    def _has_begun_anew(self, gpu_uuid: str, energy: int | None) -> bool:
        """Whether a GPU's energy counter fell: the driver was loaded anew, or the GPU was reset."""
        if energy is None:
            return False
        before, self.energy[gpu_uuid] = self.energy.get(gpu_uuid), energy
        return before is not None and energy < before

    def _instance_lines(self, gpu: Gpu, device: Any, errors: Errors) -> Iterator[Fields]:
        """A line for each GPU instance. Compute instances within one share its memory, and are one line."""
        places = ask(errors, "mig_count", pynvml.nvmlDeviceGetMaxMigDeviceCount, device) or 0
        parts: dict[int, list[Any]] = {}
        for place in range(places):
            part = ask({}, "mig", pynvml.nvmlDeviceGetMigDeviceHandleByIndex, device, place)
            number = None if part is None else ask({}, "mig", pynvml.nvmlDeviceGetGpuInstanceId, part)
            if number is not None:
                parts.setdefault(number, []).append(part)
        for number, devices in sorted(parts.items()):
            yield self._instance_line(gpu, device, number, devices)

    def _instance_line(self, gpu: Gpu, device: Any, number: int, parts: list[Any]) -> Fields:
        errors: Errors = {}
        name = readings.text(errors, "name", pynvml.nvmlDeviceGetName, parts[0])
        fields: Fields = {
            "mig_instance": number,
            "mig_profile": readings.mig_profile(name, parts[0], errors),
            "mig_uuid": readings.text(errors, "uuid", pynvml.nvmlDeviceGetUUID, parts[0]),
            **self._monitor.read(device, gpu.gpu_uuid, number, errors),
            **readings.memory(parts[0], errors),
            **self._faults.of(gpu.gpu_uuid, number),
            "holders": self._running.on(parts, None, errors),
        }
        return _line(gpu, fields, errors)


def open_rounds(holders: Holders, health_every: int, energy: dict[str, int]) -> Rounds:
    """Opens the driver. Raises DriverLostError when it cannot be reached."""
    open_driver()
    try:
        return Rounds(holders, health_every, energy)
    except DriverLostError:
        close_driver()
        raise


def _line(gpu: Gpu, fields: Fields, errors: Errors) -> Fields:
    """A line; what is not known is left out, and so is `holders` where nobody knows who they are."""
    found = {name: value for name, value in {**gpu._asdict(), **fields}.items() if value is not None}
    return {**found, "errors": errors} if errors else found
