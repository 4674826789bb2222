"""What runs on a GPU or MIG instance, summed by holder: how many programs, their memory, their share of the SMs.

The driver tells shares of programs as percentages of its own last interval, for those that had any; not on MIG.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pynvml

from pipelines.sampler.driver import Errors, ask, ask_either
from pipelines.sampler.holders import Holder, Holders
from pipelines.sampler.readings import Fields

_COMPUTE = (pynvml.nvmlDeviceGetComputeRunningProcesses_v3, pynvml.nvmlDeviceGetComputeRunningProcesses_v2)
_SHARING = (pynvml.nvmlDeviceGetMPSComputeRunningProcesses_v3, pynvml.nvmlDeviceGetMPSComputeRunningProcesses_v2)
_GRAPHICS = (pynvml.nvmlDeviceGetGraphicsRunningProcesses_v3, pynvml.nvmlDeviceGetGraphicsRunningProcesses_v2)
_SHARES = {"sm_pct": "smUtil", "memory_pct": "memUtil", "encoder_pct": "encUtil", "decoder_pct": "decUtil"}
_SCHEDULED = frozenset({"pod", "job"})


@dataclass
class Running:
    """Asks what runs, and remembers how far each GPU's measurements of programs were read."""

    holders: Holders
    _read_until: dict[str, int] = field(default_factory=dict[str, int])

    def on(self, devices: Sequence[Any], gpu_uuid: str | None, errors: Errors) -> list[Fields] | None:
        """The holders of a GPU, or of a MIG instance by its parts; none is an empty list, and None that nobody knows.

        `gpu_uuid` is None for an instance: the driver does not measure programs there.
        """
        memory: dict[int, int | None] = {}
        for device in devices:
            if (found := self._programs(device, errors)) is None:
                return None
            memory |= {number: _total([used, memory.get(number, 0)]) for number, used in found.items()}
        owners = {number: self.holders.of(number) for number in memory}
        shares = self._shares(devices[0], gpu_uuid, errors) if gpu_uuid is not None and owners else None
        return [self._summed(owner, owners, memory, shares) for owner in sorted(set(owners.values()))]

    def _programs(self, device: Any, errors: Errors) -> dict[int, int | None] | None:
        """Memory by program number.

        Of programs that share the GPU through CUDA's server: theirs, and not the server's. Of programs that draw: those
        of a pod or job, for the machine's own display holds no GPU against anybody.
        """
        computing = ask_either(errors, "running", _COMPUTE, device)
        if computing is None:
            return None
        sharing = ask_either(errors, "running_shared", _SHARING, device) or []
        drawing = ask_either(errors, "running_graphics", _GRAPHICS, device) or []
        servers = {one.pid for one in computing if sharing and self.holders.is_share_server(one.pid)}
        drawn = {one.pid: one.usedGpuMemory for one in drawing if self.holders.of(one.pid).kind in _SCHEDULED}
        return drawn | {one.pid: one.usedGpuMemory for one in (*sharing, *computing) if one.pid not in servers}

    def _shares(self, device: Any, gpu_uuid: str, errors: Errors) -> Mapping[int, list[Any]] | None:
        """Measurements by program since the last round; None where there are none for any."""
        since = self._read_until.get(gpu_uuid, 0)
        samples = ask(errors, "running_shares", pynvml.nvmlDeviceGetProcessUtilization, device, since)
        if not samples:
            return None
        self._read_until[gpu_uuid] = max(sample.timeStamp for sample in samples)
        found: dict[int, list[Any]] = {}
        for sample in samples:
            found.setdefault(sample.pid, []).append(sample)
        return found

    def _summed(
        self,
        owner: Holder,
        owners: Mapping[int, Holder],
        memory: Mapping[int, int | None],
        shares: Mapping[int, list[Any]] | None,
    ) -> Fields:
        numbers = [number for number, of in owners.items() if of == owner]
        used = _total([memory[number] for number in numbers])
        line: Fields = {name: value for name, value in owner._asdict().items() if value}
        line["running"] = len(numbers)
        if used is not None:
            line["memory_bytes"] = used
        if shares is not None:
            for name, measured in _SHARES.items():
                line[name] = sum(_mean(getattr(s, measured) for s in shares.get(number, ())) for number in numbers)
        if names := self.holders.names(owner.container_id):
            line |= names._asdict()
        return line


def _total(sizes: Sequence[int | None]) -> int | None:
    """The sum; None where one of them is not known."""
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _mean(values: Iterable[int]) -> int:
    """In whole percent, as the driver counts. No measurement of a program means that it used nothing."""
    found = list(values)
    return round(sum(found) / len(found)) if found else 0
