"""Who holds a GPU: the pods, batch jobs and other groups that its running programs belong to.

A program is known by its number only. Its control group says which pod, container or Slurm job it is of; nothing else
of it is read: no command line, no environment, no owner. A path of Slurm or of systemd holds the number of a user, and
is taken apart here, so that it does not leave the node.

Here belongs: from program numbers to holders. Here does not belong: what share of a GPU anybody used (`running`).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])")
_CONTAINER = re.compile(r"(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])")
_JOB = re.compile(r"/job_(\d{1,12})(?=/|$)")
_LOG = re.compile(r"(?P<pod>[^_]+)_(?P<namespace>[^_]+)_(?P<container>.+)-(?P<id>[0-9a-f]{64})\.log")
_MPS_SERVER = "nvidia-cuda-mps"  # the system keeps 15 signs of a program's name


class Holder(NamedTuple):
    """What a program belongs to. Empty text stands for none.

    `kind` is `pod`, `job`, `container`, `none` (a program of the machine itself) or `unseen` (its control group could
    not be read: the program has ended, or lives where the sampler cannot look).
    """

    kind: str
    pod_uid: str = ""
    container_id: str = ""
    job: str = ""


class Names(NamedTuple):
    """What Kubernetes calls a container."""

    namespace: str
    pod: str
    container: str


@dataclass
class Holders:
    """Looks holders up. `processes` is where the system lists programs, /proc; `logs` where the kubelet links logs."""

    processes: Path
    logs: Path
    _names: dict[str, Names] = field(default_factory=dict[str, Names])
    _is_listed: bool = False

    def begin_round(self) -> None:
        """New containers are looked for once in a round, whatever their number."""
        self._is_listed = False

    def of(self, number: int) -> Holder:
        """The holder of the program with that number."""
        try:
            path = (self.processes / str(number) / "cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return Holder("unseen")
        return read_control_group(path)

    def is_share_server(self, number: int) -> bool:
        """Whether the program is CUDA's own server, through which others share a GPU."""
        try:
            return (
                (self.processes / str(number) / "comm")
                .read_text(encoding="utf-8", errors="replace")
                .startswith(_MPS_SERVER)
            )
        except OSError:
            return False

    def names(self, container_id: str) -> Names | None:
        """What Kubernetes calls the container; None where its log is not linked on this node."""
        if container_id and container_id not in self._names and not self._is_listed:
            self._names, self._is_listed = self._linked(), True
        return self._names.get(container_id)

    def _linked(self) -> dict[str, Names]:
        try:
            found = [_LOG.fullmatch(entry.name) for entry in self.logs.iterdir()]
        except OSError:
            return {}
        return {match["id"]: Names(match["namespace"], match["pod"], match["container"]) for match in found if match}


def read_control_group(path: str) -> Holder:
    """The holder that the lines of a program's cgroup file name, of either version of control groups."""
    container = _CONTAINER.findall(path)
    container_id = container[-1] if container else ""
    if pod := _POD.search(path):
        return Holder("pod", pod_uid=pod[1].replace("_", "-"), container_id=container_id)
    if "slurm" in path and (job := _JOB.search(path)):
        return Holder("job", job=job[1])
    return Holder("container", container_id=container_id) if container_id else Holder("none")
