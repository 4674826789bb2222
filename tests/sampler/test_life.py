"""The command as an operator runs it: it starts, samples, is killed, starts again, and stops when it is told to."""

import itertools
import re
import signal
import subprocess
import sys
import time

import pytest
import yaml

from pipelines.sampler.__main__ import main, read_order
from tests.sampler.node import IN_POD, ROOT, Node, gpu, until


def test_one_sample_and_the_end(node: Node) -> None:
    program = node.samples("--once", "--instance-id", "i-0abc")
    said, problems = program.communicate(timeout=20)
    assert (program.returncode, said, problems) == (0, "", "")
    (line,) = node.lines()
    assert (line["host"], line["instance_id"], line["gpm_sm_pct"]) == ("node-1", "i-0abc", 56.16)
    assert line["ecc_corrected"] == 2
    assert abs(line["at_ms"] / 1000 - time.time()) < 20


def test_it_stops_at_once_and_cleanly_when_it_is_told_to(node: Node) -> None:
    program = node.samples("--every", "300")
    until(lambda: len(node.files()) == 1 and bool(node.lines()))
    for stop in (signal.SIGTERM, signal.SIGINT):
        began = time.monotonic()
        program.send_signal(stop)
        assert program.wait(10) == 0
        assert time.monotonic() - began < 5
        program = node.samples("--every", "300")
        until(lambda: len(node.lines()) > 1)
    program.kill()


def test_killed_again_and_again_it_goes_on_with_whole_lines_each_once(node: Node) -> None:
    node.says(gpu(0, running="7:1000"), gpu(1))
    node.runs(7, IN_POD)
    for _ in range(2):
        program, before = node.samples("--every", "1"), len(node.samples_kept())
        until(lambda before=before: len(node.samples_kept()) >= before + 4)  # type: ignore[misc]
        program.kill()
        program.communicate()
    last = node.samples("--every", "1")
    before = len(node.samples_kept())
    until(lambda: len(node.samples_kept()) > before)
    last.terminate()
    assert last.wait(10) == 0
    told = [(line["gpu_uuid"], line["at_ms"]) for line in node.samples_kept()]
    assert len(told) == len(set(told)) >= 10
    assert node.notes() == []  # a round is one write: kill -9 tears none


def test_rounds_keep_their_beat(node: Node) -> None:
    program = node.samples("--every", "1")
    until(lambda: len(node.lines()) >= 3)
    program.terminate()
    instants = [line["at_ms"] for line in node.lines()]
    gaps = [after - before for before, after in itertools.pairwise(instants)]
    assert all(abs(gap - 1000) < 400 for gap in gaps), gaps


def test_a_driver_that_is_not_there_is_told_once_and_found_when_it_comes(node: Node) -> None:
    node.says(init=9)
    program = node.samples("--every", "1")
    until(lambda: bool(node.files()))
    time.sleep(1.5)
    node.says(gpu(0))
    until(lambda: bool(node.samples_kept()))
    program.terminate()
    _, said = program.communicate(timeout=10)
    assert said.splitlines() == [
        "the GPU driver does not answer (NVML error 9: the driver is not loaded); it is asked again every round",
        "the GPU driver answers again",
    ]
    assert [(note["note"], note.get("code")) for note in node.notes()] == [("driver_lost", 9), ("driver_found", None)]


def test_a_driver_that_goes_while_it_is_asked_is_told_and_asked_again(node: Node) -> None:
    steps = node.steps()
    steps.at("2026-10-01T10:00:00")
    node.changes(gpu0__power="!1")
    assert steps.at("2026-10-01T10:00:15", "2026-10-01T10:00:30") == "None"
    node.changes(gpu0__power=7, gpu0__energy=11)
    steps.at("2026-10-01T10:00:45", "2026-10-01T10:01:00")
    assert [line["power_mw"] for line in node.samples_kept()] == [318_450, 7, 7]
    assert [line.get("energy_was_reset") for line in node.samples_kept()] == [None, True, None]
    assert "gpm_sm_pct" not in node.samples_kept()[1], "a mean over a driver that was loaded anew"
    assert [note["note"] for note in node.notes()] == ["driver_lost", "driver_found"]


def test_a_driver_that_hangs_ends_the_sampler_which_names_the_call(node: Node) -> None:
    node.says(gpu(0, hangs=30))
    code = (
        "from pipelines.sampler import loop\nfrom pipelines.sampler.__main__ import main\nloop.HANG_SECONDS = 0\n"
        f"main(['--spool', {str(node.spool)!r}, '--every', '1'])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=node.environment, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert "Timeout (0:00:01)!" in done.stderr
    assert "in nvmlDeviceGetPowerUsage" in done.stderr


def test_after_an_exchange_of_the_driver_it_ends_to_be_started_again(node: Node) -> None:
    node.says(count="!18")
    program = node.samples("--every", "1")
    _, said = program.communicate(timeout=10)
    assert program.returncode == 1
    assert "to be started again with the new library" in said
    assert [(note["note"], note["code"]) for note in node.notes()] == [("driver_lost", 18)]


def test_without_nvidias_library_once_fails_in_words(node: Node) -> None:
    node.library = node.folder
    program = node.samples("--once")
    _, said = program.communicate(timeout=10)
    assert program.returncode == 1
    (line,) = said.splitlines()
    assert "NVML error 12: libnvidia-ml.so.1 is not found" in line
    assert line.endswith("; no GPU was measured, run it again when the driver answers")


def test_a_second_sampler_is_refused_in_words(node: Node) -> None:
    first = node.samples("--every", "300")
    until(lambda: bool(node.files()))
    second = node.samples("--every", "300")
    _, said = second.communicate(timeout=10)
    assert (second.returncode, first.poll()) == (2, None)
    assert "another sampler writes there for node-1; stop it" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "the following arguments are required: --spool"),
        (("--spool", "x", "--every", "0"), "'0' is no number of seconds from 1 to 300"),
        (("--spool", "x", "--every", "301"), "'301' is no number of seconds from 1 to 300"),
        (("--spool", "x", "--every", "1.5"), "'1.5' is no number of seconds from 1 to 300"),
        (("--spool", "x", "--most-mib", "0"), "'0' is no number of MiB from 1 up"),
        (("--spool", "x", "--hostname", " "), "' ' is no name of a node"),
    ],
)
def test_a_wrong_call_is_told_in_words(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert told in capsys.readouterr().err


def test_the_units_that_the_page_shows_start_the_sampler_as_it_wants_to_be_started() -> None:
    page = (ROOT / "connectors/nvml/README.md").read_text(encoding="utf-8")
    (manifest,) = [yaml.safe_load(block) for block in re.findall(r"```yml\n(.*?)```", page, re.DOTALL)]
    spec = manifest["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["hostPID"] is True
    assert container["command"] == ["python", "-P", "-m", "pipelines.sampler"]
    order, once = read_order(container["args"])
    assert (str(order.spool), order.hostname, order.every_seconds, once) == ("/spool", "$(NODE_NAME)", 15, False)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"spool": str(order.spool), "logs": str(order.pod_logs)}
    (started,) = re.findall(r"ExecStart=\S+/python -P -m pipelines.sampler (.*)", page)
    assert str(read_order(started.split())[0].spool) == "/var/lib/farthing/spool"


def test_it_brings_nothing_heavy_along(node: Node) -> None:
    node.says(gpu(0))
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipelines.sampler.__main__ import main\n"
        f"assert main(['--once', '--spool', {str(node.spool)!r}]) == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
        "print(next(l.split()[1] for l in Path('/proc/self/status').read_text().splitlines() if 'VmHWM' in l))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=node.environment, capture_output=True, text=True, check=True, timeout=20
    )
    modules, peak_kib = done.stdout.splitlines()
    from_elsewhere = set(modules.split()) - sys.stdlib_module_names - {"__main__", "pipelines", "pynvml"}
    assert {name for name in from_elsewhere if not name.startswith(("_", "sitecustomize"))} == set()
    assert "pynvml" in modules.split()
    assert int(peak_kib) < 40 * 1024


def test_a_round_over_eight_gpus_takes_a_thousandth_of_a_core_at_most(node: Node) -> None:
    """At 15 s between rounds that is 15 ms of processor; what a driver takes for its answers comes on top."""
    node.says(*(gpu(n) for n in range(8)))
    code = (
        "import time\nfrom pathlib import Path\n"
        "from pipelines.sampler.holders import Holders\nfrom pipelines.sampler.rounds import open_rounds\n"
        f"rounds = open_rounds(Holders(Path('/proc'), Path({str(node.folder)!r})), 20, {{}})\n"
        "assert len(rounds.read()) == 8\nbegun = time.process_time()\n"
        "for _ in range(40): rounds.read()\n"
        "print((time.process_time() - begun) / 40)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=node.environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert float(done.stdout) < 0.015
