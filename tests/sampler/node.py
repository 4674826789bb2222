"""A node as tests see it: what its driver says, what its programs belong to, and the spool that its sampler writes."""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
POD_UID = "0d7c5d0a-6a2f-4f0e-9b1d-1f3c7a7e0001"
CONTAINER = "ab" * 32
IN_POD = (
    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d7c5d0a_6a2f_4f0e_9b1d_1f3c7a7e0001.slice/"
    f"cri-containerd-{CONTAINER}.scope\n"
)
IN_JOB = "0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0\n"
IN_JOB_OF_OLD = "9:devices:/slurm/uid_31337/job_4712/step_batch/task_0\n8:memory:/slurm/uid_31337/job_4712\n"
ON_ITS_OWN = "0::/user.slice/user-31337.slice/session-3.scope\n"

H100: Mapping[str, object] = {
    "uuid": "GPU-8f2f3a52-0001",
    "name": "NVIDIA H100 80GB HBM3",
    "mig_mode": 0,
    "util": 87,
    "util_memory": 41,
    "encoder": 0,
    "decoder": 3,
    "total": 85_899_345_920,
    "used": 76_941_361_152,
    "reserved": 653_262_848,
    "power": 318_450,
    "energy": 12_345_678_901_234,
    "running": "",
    "drawing": "",
    "sharing": "",
    "events": 8,
    "gpm": 1,
    "gpm1": 99.5,
    "gpm2": 56.16,
    "gpm3": 21.25,
    "gpm5": 12.5,
    "gpm10": 39.0,
    "ecc_corrected": 2,
    "ecc_uncorrected": 0,
    "remapped": 1,
}


def gpu(index: int, **over: object) -> dict[str, object]:
    """A GPU's words for `Node.says`; None takes one away."""
    words = {**H100, "uuid": f"GPU-8f2f3a52-{index + 1:04d}", **over}
    return {f"gpu{index}.{key}": value for key, value in words.items() if value is not None}


@dataclass
class Node:
    """`library` is the folder of the stub. Everything else lies below `folder`."""

    folder: Path
    library: Path
    words: dict[str, object] = field(default_factory=dict)
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "LD_LIBRARY_PATH": str(self.library),
            "NVML_STUB": str(self.folder / "says"),
            "PYTHONPATH": str(ROOT),
        }

    def says(self, *of_gpus: Mapping[str, object], **words: object) -> None:
        """What the driver says from now on, in place of what it said."""
        self.words = {"count": len(of_gpus), **words}
        for one in of_gpus:
            self.words |= one
        self._write()

    def changes(self, **words: object) -> None:
        """Changes single words; double underscores stand for dots, None takes a word away."""
        for name, value in words.items():
            self.words[name.replace("__", ".")] = value
        self._write()

    def runs(self, number: int, control_group: str, name: str = "python3") -> None:
        """A program of that number runs on the node."""
        folder = self.folder / "proc" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup").write_text(control_group)
        (folder / "comm").write_text(f"{name}\n")

    def logs(self, name: str) -> None:
        """The kubelet links a container's log."""
        folder = self.folder / "containers"
        folder.mkdir(exist_ok=True)
        (folder / name).touch()

    def samples(self, *options: str) -> "subprocess.Popen[str]":
        """Starts `farthing sample-gpus` as an operator would."""
        command = [sys.executable, "-c", "from pipelines.cli import main; main()", "sample-gpus"]
        given = ["--spool", self.spool, "--hostname", "node-1", "--processes", self.folder / "proc"]
        return self._start([*command, *map(str, given), "--pod-logs", str(self.folder / "containers"), *options])

    def steps(self, most_bytes: int = 1 << 30) -> "Steps":
        """Starts a sampler whose instants the test gives."""
        places = (self.spool, self.folder / "proc", self.folder / "containers")
        return Steps(
            self._start(
                [sys.executable, str(Path(__file__).with_name("stepper.py")), *map(str, places), str(most_bytes)]
            )
        )

    def files(self) -> list[str]:
        """Names of the spool's files, in the order of their hours."""
        return sorted(path.name for path in self.spool.glob("*/*"))

    def lines(self) -> list[dict[str, Any]]:
        """Every whole line of the spool; a file that does not end with one fails."""
        found = []
        for path in sorted(self.spool.glob("*/*"), key=lambda path: path.name):
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert not content or content.endswith(b"\n"), f"{path.name} is torn"
            found += [json.loads(line) for line in content.splitlines()]
        return found

    def samples_kept(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "note" not in line]

    def notes(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "note" in line]

    def _write(self) -> None:
        text = "".join(f"{name}={value}\n" for name, value in self.words.items() if value is not None)
        fresh = self.folder / "says.new"
        fresh.write_text(text)
        fresh.replace(self.folder / "says")

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        started = subprocess.Popen(
            command, env=self.environment, cwd=self.folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        self.started.append(started)
        return started


@dataclass
class Steps:
    """A sampler that takes a round when it is told to."""

    program: "subprocess.Popen[str]"

    def at(self, *instants: str) -> str:
        """Takes a round at each; what the last one ended with: None goes on."""
        answer = ""
        for instant in instants:
            assert self.program.stdin is not None
            assert self.program.stdout is not None
            self.program.stdin.write(f"{instant}\n")
            self.program.stdin.flush()
            answer = self.program.stdout.readline().strip()
        return answer

    def kill(self) -> None:
        """Ends it as kill -9 does."""
        self.program.kill()
        self.program.communicate()

    def end(self) -> str:
        """Ends it properly; what it said to people."""
        _, said = self.program.communicate()
        assert self.program.returncode == 0, said
        return said


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Waits; fails where it never holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
