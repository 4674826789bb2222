"""A large log is read by several processes, and everything about it is as if one had read it."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.litellm import SOURCE
from connectors.logs import apart, landing
from connectors.storage import StoredObject
from connectors.workers import Job, Worker, WorkerLostError
from tests.connectors import worker_jobs as jobs
from tests.connectors.litellm.conftest import Gateway

Payload = Callable[..., dict[str, Any]]
SECRET = "a canary that sings"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every log is a large one, on a machine with three processors. The processes that were started."""
    found: list[Any] = []

    def start() -> Worker:
        found.append(Worker())
        return found[-1]

    monkeypatch.setattr(apart, "Worker", start)
    monkeypatch.setattr(apart, "processors", lambda: 3)
    monkeypatch.setattr(apart, "_LARGE_BYTES", 0)
    monkeypatch.setattr(apart, "_PIECE_BYTES", 1)
    return found


def alone(gateway: Gateway, **over: Any) -> list[tuple[str, str]]:
    """The pages as one process lands them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart, "processors", lambda: 1)
        return [(page.name, page.digest) for page in gateway.landed(**over)]


def have_ended(workers: list[Any]) -> bool:
    return bool(workers) and all(worker._child.returncode is not None for worker in workers)


@pytest.mark.parametrize("small_bytes", [0, 2**20])
def test_pages_are_the_same_to_the_byte_whoever_read_their_files(
    small_bytes: int, payload: Payload, gateway: Gateway, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "_SMALL_BYTES", small_bytes)
    monkeypatch.setattr(landing, "ROWS_PER_PAGE", 70)
    for n in range(20):
        rows = [payload(id=f"r{n}-{i}", messages=SECRET, end_user=f"user{i}@corp.test") for i in range(n * 3)]
        late = payload(id=f"late{n}", startTime=1795226400.25 + 86_400)
        gateway.file(f"2026-11-2{1 + n % 2}/{n:02d}.jsonl.gz", [*rows, late, {"odd": SECRET}, 7])
    gateway.raw("2026-11-21/broken.jsonl", b'{"id": "' + SECRET.encode() + b"\n" + json.dumps(payload()).encode())
    apart_pages = [(page.name, page.digest) for page in gateway.landed()]
    assert len(started) == 2
    assert have_ended(started)
    assert len(apart_pages) > 5
    assert apart_pages == alone(gateway)
    landed = gateway.landed_bytes()
    assert SECRET.encode() not in landed
    assert b"corp.test" not in landed


def test_a_torn_file_is_told_in_the_same_words_and_the_first_one_is(
    payload: Payload, gateway: Gateway, started: list[Any]
) -> None:
    for n in range(6):
        whole = gzip.compress(b"".join(json.dumps(payload(id=f"r{n}-{i}")).encode() + b"\n" for i in range(50)))
        gateway.raw(f"2026-11-21/{n}", whole if n in (0, 1, 4) else whole[:-9])
    with pytest.raises(IncompleteDeliveryError) as one:
        alone(gateway)
    for _ in range(2):
        with pytest.raises(IncompleteDeliveryError) as several:
            gateway.landed()
        assert str(several.value) == str(one.value)
        assert "2026-11-21/2:" in str(several.value)
        assert have_ended(started)


def test_settings_reach_the_processes_as_they_are_and_no_argument_names_them(
    payload: Payload, gateway: Gateway, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def write(self: Any, job: Job, sink: BinaryIO) -> None:
        own = Path(f"/proc/{self._child.pid}")
        seen.append(own.joinpath("cmdline").read_bytes() + own.joinpath("environ").read_bytes())
        plain_write(self, job, sink)

    plain_write = Worker.write
    monkeypatch.setattr(Worker, "write", write)
    for n in range(4):
        gateway.file(f"2026-11-21/{n}.jsonl", [payload(id=f"r{n}", metadata={"squad": f"s{n}", "ticket": "T-1"})])
    over: dict[str, Any] = {
        "hash_key": "another key of the tests",
        "team_id_field": "squad",
        "outcome_keys": ["ticket"],
    }
    assert [(page.name, page.digest) for page in gateway.landed(**over)] == alone(gateway, **over)
    assert seen
    assert not any(b"key of the tests" in found for found in seen)


def lines(work: list[Job], helpers: int = 1) -> Iterator[bytes]:
    return apart.lines_of_jobs(work, helpers)


def test_lines_come_in_the_order_of_the_jobs_however_many_there_are(started: list[Any]) -> None:
    work = [partial(jobs.write_text, f"{n}\n{n}b\n") for n in range(100)]
    assert b"".join(lines(list(work), 2)).decode() == "".join(f"{n}\n{n}b\n" for n in range(100))
    assert have_ended(started)


def test_a_killed_process_ends_the_delivery_with_words(started: list[Any]) -> None:
    with pytest.raises(WorkerLostError, match="memory"):
        list(lines([partial(jobs.be_killed_elsewhere, os.getpid())] * 3))
    assert have_ended(started)


@pytest.mark.parametrize("reason", [GeneratorExit, KeyboardInterrupt])
def test_whoever_stops_asking_ends_the_processes(reason: type[BaseException], started: list[Any]) -> None:
    asked = lines([partial(jobs.write_text, "a\nb\n")] * 50, 2)
    assert next(asked) == b"a\n"
    with pytest.raises(reason):
        asked.throw(reason)  # type: ignore[attr-defined]
    assert have_ended(started)


def test_a_full_disk_is_told_with_its_remedy(
    payload: Payload, gateway: Gateway, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(buffering: int) -> Any:
        return Path("/dev/full").open("r+b", buffering)

    monkeypatch.setattr(apart.tempfile, "TemporaryFile", full)
    for n in range(4):
        gateway.file(f"2026-11-21/{n}.jsonl", [payload(id=f"r{n}")])
    with pytest.raises(SourceError, match=r"No space left.*temporary files"):
        gateway.landed()


def test_only_a_large_delivery_of_several_files_pays_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def helpers(*sizes: int, end: str = ".gz") -> int:
        return apart.helpers_for(StoredObject(f"{n}{end}", size, None) for n, size in enumerate(sizes))

    mib = 2**20
    monkeypatch.setattr(apart, "processors", lambda: 64)
    assert helpers() == helpers(40 * mib) == helpers(10 * mib, 20 * mib) == 0
    assert helpers(20 * mib, 20 * mib, end=".jsonl") == 0
    assert helpers(20 * mib, 20 * mib) == 1
    assert helpers(*[20 * mib] * 3) == 2
    assert helpers(*[20 * mib] * 300) == 3
    monkeypatch.setattr(apart, "processors", lambda: 1)
    assert helpers(*[20 * mib] * 300) == 0


def test_small_files_go_together_and_none_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_PIECE_BYTES", 100)
    files = [StoredObject(f"{n:02d}", size, None) for n, size in enumerate([60, 60, 500, 10, 10, 10])]
    found = [[file.size for file in piece] for piece in apart.pieces(files, stored=lambda file: file)]
    assert found == [[60, 60], [500], [10, 10, 10]]


def test_a_process_that_reads_files_starts_without_what_only_rows_need() -> None:
    worker = Worker()
    try:
        with apart.tempfile.TemporaryFile() as sink:
            worker.write(partial(jobs.write_modules, SOURCE), sink)
            sink.seek(0)
            names = set(sink.read().decode().split())
    finally:
        worker.end()
    assert "msgspec" in names
    assert not names & {"polars", "pyarrow", "numpy", "contracts", "pytest", "dagster"}
