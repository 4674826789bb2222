"""What the GPU nodes did, every five minutes, and the exporter's text about it.

The serving node follows the day; the research node trains at night until the ninth, then a notebook is forgotten on it.
Activities are whole millionths, so that the file and the truth hold the same number.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sample.company import MAINTENANCE_DAY, RESEARCH, SERVING, Host
from sample.exposition import SAMPLES_PER_DAY, Metric, instants, milliseconds, write_lines
from sample.pods import CONTAINER, NAMESPACE, pod_of
from sample.traffic import OFFICE

# Two hours without samples: the exporter of the serving node was being upgraded.
GAP_DAY = date(2026, 10, 14)
GAP = range(36, 60)
LAST_TRAINING_DAY = date(2026, 10, 9)
QUIET = 12_000  # millionths of a GPU on which a model stands and nobody calls it
SCRATCH_DAYS = (date(2026, 10, 12), date(2026, 10, 13))
METRICS = tuple(
    Metric(name, "gauge", description)
    for name, description in (
        ("DCGM_FI_DEV_GPU_UTIL", "GPU utilization (in %)."),
        ("DCGM_FI_PROF_SM_ACTIVE", "The ratio of cycles an SM has at least 1 warp assigned."),
        ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "Ratio of cycles the tensor (HMMA) pipe is active."),
        (
            "DCGM_FI_PROF_DRAM_ACTIVE",
            "Ratio of cycles the device memory interface is active sending or receiving data.",
        ),
        ("DCGM_FI_DEV_FB_USED", "Framebuffer memory used (in MiB)."),
        ("DCGM_FI_DEV_POWER_USAGE", "Power draw (in W)."),
    )
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One GPU at one step of the day. `holder` is (namespace, pod, container), or None when no pod holds it."""

    step: int
    gpu: int
    holder: tuple[str, str, str] | None
    sm_active: int
    tensor_active: int
    dram_active: int

    @property
    def activity(self) -> int:
        """The strongest of the three, in millionths."""
        return max(self.sm_active, self.tensor_active, self.dram_active)


def gpu_samples(host: Host, day: date, seed: int) -> list[Sample]:
    """The samples of one node and day, by GPU and time."""
    chance = random.Random(f"{seed}:gpus:{host.hostname}:{day}")  # noqa: S311
    return list(_serving(chance, day) if host is SERVING else _research(chance, day))


def _serving(chance: random.Random, day: date) -> Iterator[Sample]:
    weekend = day.weekday() >= 5
    for gpu in range(SERVING.gpus):
        for step, moment in enumerate(instants(day)):
            if day == GAP_DAY and step in GAP:
                continue
            level = 250_000 + 42_000 * OFFICE[step // 12] * (6 if weekend else 10) // 10
            if day == MAINTENANCE_DAY:
                level = QUIET
            elif chance.random() < 0.01:
                level = 20_000  # a lull of one sample: too short to be called idle
            pod = pod_of(gpu, moment)
            if not pod.is_ready(moment, moment):
                level = QUIET
            yield _sample(chance, step, gpu, (NAMESPACE, pod.name, CONTAINER), level)


def _research(chance: random.Random, day: date) -> Iterator[Sample]:
    for gpu in range(RESEARCH.gpus):
        for step in range(SAMPLES_PER_DAY):
            holder, level = _research_use(day, gpu, step)
            yield _sample(chance, step, gpu, holder, level)


def _research_use(day: date, gpu: int, step: int) -> tuple[tuple[str, str, str] | None, int]:
    is_night = step < 72 or step >= 240
    if day <= LAST_TRAINING_DAY:
        return (("research", "finetune-7", "trainer"), 900_000) if is_night else (None, 0)
    if gpu == 7 and day in SCRATCH_DAYS:
        return ("scratch", "try-out-0", "shell"), 400_000
    return (("research", "notebook-2", "jupyter"), 8_000) if gpu < 6 else (None, 0)


def _sample(chance: random.Random, step: int, gpu: int, holder: tuple[str, str, str] | None, level: int) -> Sample:
    if not level:
        return Sample(step, gpu, holder, 0, 0, 0)
    active = min(999_000, level * chance.randrange(930, 1071) // 1000)
    return Sample(step, gpu, holder, active, active * 6 // 10, active * 7 // 10)


def write_exposition(file: Path, host: Host, day: date, samples: Sequence[Sample]) -> None:
    """Writes a day of one node as the exporter's text."""
    stamps = list(map(milliseconds, instants(day)))
    labels = {key: _labels(host, *key) for key in {(sample.gpu, sample.holder) for sample in samples}}
    rows = [(labels[sample.gpu, sample.holder], stamps[sample.step], _values(sample)) for sample in samples]
    lines: list[str] = []
    for position, metric in enumerate(METRICS):
        lines += metric.lines(f"{label} {values[position]} {stamp}" for label, stamp, values in rows)
    write_lines(file, lines)


def _values(sample: Sample) -> tuple[str, ...]:
    """The six metrics in their order, as the exporter prints them."""
    percent = (sample.activity + 9_999) // 10_000
    memory = 68_412 if sample.holder else 4
    milliwatts = 72_000 + sample.activity * 6 // 10
    ratios = (f"0.{part:06d}" for part in (sample.sm_active, sample.tensor_active, sample.dram_active))
    return (str(percent), *ratios, str(memory), f"{milliwatts // 1000}.{milliwatts % 1000:03d}000")


def _labels(host: Host, gpu: int, holder: tuple[str, str, str] | None) -> str:
    serial = f"{sum(host.hostname.encode()):04x}"
    held = ""
    if holder:
        namespace, pod, container = holder
        held = f',container="{container}",namespace="{namespace}",pod="{pod}"'
    return (
        f'{{gpu="{gpu}",UUID="GPU-{serial}2f3a-52c1-4f3c-9d7c-5d0a6a2f00{gpu:02d}",'
        f'pci_bus_id="00000000:{gpu + 16:02X}:00.0",'
        f'device="nvidia{gpu}",modelName="{host.gpu_model}",Hostname="{host.hostname}",'
        f'DCGM_FI_DRIVER_VERSION="570.124.06"{held}}}'
    )
