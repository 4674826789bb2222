"""Control groups as container runtimes, Slurm and systemd write them, and what they say of a holder."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.sampler.holders import Holder, Holders, Names, read_control_group
from tests.sampler.node import CONTAINER, POD_UID, Node, gpu

POD = Holder("pod", pod_uid=POD_UID, container_id=CONTAINER)
STATIC = "0123456789abcdef0123456789abcdef"
DASHED, SCORED = POD_UID, POD_UID.replace("-", "_")


@pytest.mark.parametrize(
    ("lines", "holder"),
    [
        (f"0::/kubepods.slice/kubepods-pod{SCORED}.slice/cri-containerd-{CONTAINER}.scope\n", POD),
        (
            f"0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SCORED}.slice/crio-{CONTAINER}.scope",
            POD,
        ),
        (f"0::/../../kubepods-burstable-pod{SCORED}.slice/cri-containerd-{CONTAINER}.scope", POD),
        (f"0::/../cri-containerd-{CONTAINER}.scope", Holder("container", container_id=CONTAINER)),
        (
            f"4:memory:/kubepods/burstable/pod{DASHED}/{CONTAINER}\n1:name=systemd:/kubepods/burstable/pod{DASHED}/{CONTAINER}",
            POD,
        ),
        (f"0::/kubepods/pod{STATIC}/{CONTAINER}", Holder("pod", pod_uid=STATIC, container_id=CONTAINER)),
        (
            f"0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SCORED}.slice",
            Holder("pod", pod_uid=POD_UID),
        ),
        ("0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0", Holder("job", job="4711")),
        ("0::/system.slice/node1_slurmstepd.scope/job_4711/step_extern/user", Holder("job", job="4711")),
        ("9:devices:/slurm/uid_31337/job_4712/step_batch/task_0", Holder("job", job="4712")),
        ("9:devices:/slurm_node1/uid_31337/job_4712", Holder("job", job="4712")),
        (f"0::/system.slice/docker-{CONTAINER}.scope", Holder("container", container_id=CONTAINER)),
        (f"11:cpuset:/docker/{CONTAINER}", Holder("container", container_id=CONTAINER)),
        ("0::/user.slice/user-31337.slice/session-3.scope", Holder("none")),
        ("0::/system.slice/nvidia-persistenced.service", Holder("none")),
        ("0::/home/job_12/batch", Holder("none")),
        ("0::/", Holder("none")),
        ("", Holder("none")),
        (f"0::/system.slice/x-{CONTAINER}ff.scope", Holder("none")),
    ],
)
def test_a_control_group_names_its_holder(lines: str, holder: Holder) -> None:
    assert read_control_group(lines) == holder


def test_names_of_containers_come_from_their_linked_logs(tmp_path: Path) -> None:
    logs = tmp_path / "containers"
    logs.mkdir()
    for name in (f"vllm-0_serving_engine-core-{CONTAINER}.log", "odd.log", f"a_b_c-{CONTAINER[:-1]}.log"):
        (logs / name).touch()
    holders = Holders(tmp_path, logs)
    assert holders.names(CONTAINER) == Names("serving", "vllm-0", "engine-core")
    assert holders.names("") is None
    assert holders.names("cd" * 32) is None
    (logs / f"new_serving_c-{'cd' * 32}.log").touch()
    assert holders.names("cd" * 32) is None, "listed twice in one round"
    holders.begin_round()
    assert holders.names("cd" * 32) == Names("serving", "new", "c")


def test_a_node_without_kubernetes_has_no_names(tmp_path: Path) -> None:
    assert Holders(tmp_path, tmp_path / "none").names(CONTAINER) is None


def test_nothing_of_a_program_but_its_group_leaves_the_node(node: Node) -> None:
    canaries = ("canary-argument-71", "canary-variable-72", "canary-folder-73")
    home = node.folder / canaries[2]
    home.mkdir()
    program = subprocess.Popen(
        [sys.executable, "-c", "import sys, time; sys.stdin.read()", canaries[0]],
        env={"CANARY": canaries[1], "PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        cwd=home,
    )
    try:
        node.says(gpu(0, running=f"{program.pid}:1000"))
        (node.folder / "proc").symlink_to("/proc")  # its real entry, of the real system
        sampler = node.samples("--once")
        _, said = sampler.communicate(timeout=20)
    finally:
        program.communicate()
    assert sampler.returncode == 0
    written = "".join(path.read_text() for path in node.spool.glob("*/*"))
    (holder,) = node.samples_kept()[0]["holders"]
    assert holder["kind"] != "unseen"
    for secret in (*canaries, str(program.pid), getpass.getuser(), sys.executable, "python"):
        assert secret not in written + said
