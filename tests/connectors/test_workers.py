"""A process that writes for another one gives what the job gives, tells what it raises, and never stays behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from connectors.base import RefusedRequestError
from connectors.workers import Job, Worker, WorkerDefectError, WorkerLostError
from tests.connectors import worker_jobs as jobs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def worker() -> Iterator[Worker]:
    found = Worker()
    yield found
    found.end()


def written(worker: Worker, job: Job) -> str:
    with tempfile.TemporaryFile() as sink:
        worker.write(job, sink)
        sink.seek(0)
        return sink.read().decode()


def is_alive(pid: int) -> bool:
    """A process that has ended, but was not yet asked after, does not live."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def waited_for(found: Path) -> int:
    for _ in range(600):
        if found.exists() and found.read_text():
            return int(found.read_text())
        time.sleep(0.05)
    raise TimeoutError(found)


def ends(pid: int) -> bool:
    for _ in range(200):
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_one_process_does_job_after_job_and_says_what_each_raised(worker: Worker) -> None:
    assert written(worker, partial(jobs.write_text, "first")) == "first"
    with pytest.raises(RefusedRequestError, match=r"^the bucket is gone$") as refusal:
        written(worker, partial(jobs.refuse, "the bucket is gone"))
    assert refusal.value.status == 404
    with pytest.raises(WorkerDefectError, match=r"KeyError at worker_jobs\.py:\d+: 'absent'"):
        written(worker, jobs.stumble)
    assert written(worker, partial(jobs.write_text, "x" * 10_000_000)) == "x" * 10_000_000


def test_a_job_that_cannot_be_handed_over_leaves_the_process_as_it_was(worker: Worker) -> None:
    with pytest.raises((AttributeError, TypeError), match=r"(?i)pickle"):
        written(worker, lambda sink: None)
    assert written(worker, partial(jobs.write_text, "again")) == "again"


def test_what_a_job_is_told_stands_in_no_argument_and_no_environment(worker: Worker) -> None:
    secret = "a secret of the tests' own"
    assert written(worker, partial(jobs.write_text, secret)) == secret
    started = written(worker, jobs.write_how_it_was_started)
    assert "connectors.workers" in started
    assert secret not in started


def test_a_killed_process_is_told_as_such(worker: Worker) -> None:
    with pytest.raises(WorkerLostError, match=r"SIGKILL.*memory.*again"):
        written(worker, jobs.be_killed)


def test_an_end_comes_in_the_middle_of_a_job(worker: Worker, tmp_path: Path) -> None:
    raised: list[Exception] = []

    def waits() -> None:
        try:
            written(worker, partial(jobs.sleep_for_ever, str(tmp_path / "pid")))
        except WorkerLostError as error:
            raised.append(error)

    waiting = Thread(target=waits)
    waiting.start()
    pid = waited_for(tmp_path / "pid")
    worker.end()
    waiting.join(20)
    assert not is_alive(pid)
    assert len(raised) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_does_not_outlive_the_one_that_started_it(how: signal.Signals, tmp_path: Path) -> None:
    code = (
        "import signal, sys, tempfile; from functools import partial; from connectors.workers import Worker; "
        "from tests.connectors.worker_jobs import sleep_for_ever; "
        # tests that run in a shell's background have inherited that it is ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "Worker().write(partial(sleep_for_ever, sys.argv[1]), tempfile.TemporaryFile())"
    )
    pid = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", code, str(pid)], cwd=ROOT, stderr=subprocess.DEVNULL) as starter:
        found = waited_for(pid)
        assert is_alive(found)
        os.kill(starter.pid, how)
        starter.wait(20)
    assert ends(found)
